/** What one rung of a ladder showed. */
export interface RungResult {
  /** Requests a second. */
  readonly target: number
  readonly actual: number
  /** Accepted of all that the schedule had, from 0 to 1. */
  readonly success: number
  readonly p99Us: number
}

export type RungStatus = 'PASS' | 'WARN' | 'FAIL' | 'NOT OFFERED'

const passOfTarget = 0.99
const passP99Us = 50_000
const warnOfTarget = 0.9
const warnP99Us = 500_000

export const ladderRules = [
  'PASS: at least 99% of the target, 100% success, p99 below 50 ms. WARN: at least 90% and p99 below 500 ms. FAIL: otherwise.',
  'NOT OFFERED: no PASS, and on this machine the generator does not reach a PASS against an empty server at this rate either, so the rung says nothing about the server.',
  'Actual: accepted answers within the time, per second. Success: of all requests of the schedule, those that could not be sent included. Latency counts from the intended time of sending.',
]

/** `isOffered`: at this rate the generator passes against a server that does nothing. */
export function rungStatus({ target, actual, success, p99Us }: RungResult, isOffered: boolean): RungStatus {
  if (actual >= passOfTarget * target && success >= 1 && p99Us < passP99Us) return 'PASS'
  if (!isOffered) return 'NOT OFFERED'
  return actual >= warnOfTarget * target && p99Us < warnP99Us ? 'WARN' : 'FAIL'
}
