import { build } from 'hdr-histogram-js'
import type { Histogram } from 'hdr-histogram-js'

export type RequestKind = 'read' | 'hold' | 'pay' | 'release'
export const requestKinds: readonly RequestKind[] = ['read', 'hold', 'pay', 'release']

/** Latencies from 1 µs to one minute, to three digits. */
function latencyHistogram(): Histogram {
  return build({ lowestDiscernibleValue: 1, highestTrackableValue: 60_000_000, numberOfSignificantValueDigits: 3 })
}

export interface SeenPayment {
  readonly status: string
  readonly order: string | null
  readonly amount: number
}

/** What the buyers saw, to be held against the database afterwards. */
export class Tally {
  /** Microseconds from sending to the end of the answer, by kind. */
  readonly latency: Readonly<Record<RequestKind, Histogram>> = {
    read: latencyHistogram(),
    hold: latencyHistogram(),
    pay: latencyHistogram(),
    release: latencyHistogram(),
  }
  /** By hold id: units. */
  readonly holds = new Map<string, number>()
  readonly payments = new Map<string, SeenPayment>()
  /** Hold ids whose release was answered 200. */
  readonly released = new Set<string>()
  /** Refusals by code. */
  readonly refused = new Map<string, number>()
  /** Answers that repeated an earlier one, because of the Idempotency-Key or the provider's payment id. */
  replays = 0
  /** Requests that had to be sent again after no answer or a 503. */
  resent = 0
  /** Answers that contradict each other, and requests that were never answered. */
  readonly contradictions: string[] = []
  buyersDone = 0
  buyersArrived = 0

  get requests(): number {
    return requestKinds.reduce((sum, kind) => sum + this.latency[kind].totalCount, 0)
  }

  get refusals(): number {
    return [...this.refused.values()].reduce((sum, count) => sum + count, 0)
  }

  answered(kind: RequestKind, elapsedMs: number): void {
    this.latency[kind].recordValue(Math.max(1, Math.round(elapsedMs * 1_000)))
  }

  refuse(code: string): void {
    this.refused.set(code, (this.refused.get(code) ?? 0) + 1)
  }

  hold(id: string, units: number): void {
    if (this.holds.has(id)) this.replays += 1
    this.holds.set(id, units)
  }

  /** The same payment must be told the same way each time. */
  payment(id: string, seen: SeenPayment): void {
    const known = this.payments.get(id)
    if (known === undefined) {
      this.payments.set(id, seen)
      return
    }
    this.replays += 1
    if (known.status !== seen.status || known.order !== seen.order || known.amount !== seen.amount) {
      this.contradictions.push(`payment ${id} was ${JSON.stringify(known)}, then ${JSON.stringify(seen)}`)
    }
  }
}
