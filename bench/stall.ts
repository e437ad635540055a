import { setTimeout as sleep } from 'node:timers/promises'
import { findViolation } from './check-rows.ts'
import { Own } from './generators/own/own.ts'
import { singleStep } from './generators/plan.ts'
import { prepareHolds } from './prepare-holds.ts'
import { payHolds } from './steps.ts'
import type { LoadResult } from './generators/generator.ts'
import type { Lab } from './lab.ts'

const stallMs = 500
const perSecond = 500
const durationMs = 2_000
const stallAtMs = 700
/** Fewer than the requests that come during the stall: those without a connection must count as well. */
const connections = 32

/** p99.9 has requests that came at its beginning. */
const p999UsMin = 0.8 * stallMs * 1_000
/** A quarter of all came during the stall, so one in ten for more than 300 ms. A closed loop has 32 slow ones, a thirtieth. */
const p90UsMin = 0.4 * stallMs * 1_000

/**
 * Payments at a constant rate while the writer is stopped for 500 ms. Throws when the generator does not see it, whose
 * other figures are then worthless, and when the rows are not those of its answers.
 */
export async function measureStall(lab: Lab, signal: AbortSignal): Promise<LoadResult> {
  const holds = await prepareHolds(lab.sale, (perSecond * durationMs) / 1_000, () => undefined, signal)
  const { writer } = lab.box.pids
  if (writer === null) throw new Error('there is no writer to stop')
  const plan = singleStep(payHolds(lab.sale, holds), null)
  const before = lab.readDatabase().rows
  let isStarted = (): void => undefined
  const started = new Promise<void>((resolve) => (isStarted = resolve))
  const load = new Own(1, perSecond).run(
    { url: lab.box.url, plan, connections, durationMs },
    { onStarted: () => isStarted(), signal },
  )
  // Awaited below; an interrupt during the sleeps must not count as unhandled until then.
  load.catch(() => undefined)
  await Promise.race([started, load])
  await sleep(stallAtMs, undefined, { signal })
  process.kill(writer, 'SIGSTOP')
  try {
    await sleep(stallMs, undefined, { signal })
  } finally {
    process.kill(writer, 'SIGCONT')
  }
  const result = await load
  const violation = findViolation(plan.steps, result, before, lab.readDatabase().rows)
  if (violation !== null) throw new Error(`a stopped writer: ${violation}`)
  const { p90, p999 } = result.latencyUs
  if (p999 < p999UsMin || p90 < p90UsMin) {
    throw new Error(`the generator does not see a stall of ${stallMs} ms: p90 ${p90} us, p99.9 ${p999} us`)
  }
  return result
}
