import type { PlanKind } from '../generators/generator.ts'
import type { RequestPlan } from '../generators/plan.ts'
import type { Lab } from '../lab.ts'

export interface Preparation {
  /** At most this many requests will be sent. */
  readonly requestsMax: number
  /** Each may have a request under way. */
  readonly connections: number
  readonly onProgress: (done: number, of: number) => void
  readonly signal: AbortSignal
}

/** One kind of load, whichever generator makes it. */
export interface Scenario {
  readonly name: string
  /** Left out of a campaign that names no scenario. */
  readonly onlyWhenNamed?: true
  /** One line for --help and the report. */
  readonly summary: string
  readonly server: 'box' | 'empty'
  /** Its answers are refusals, which wrk cannot tell from failures: the warm-up looks at them. */
  readonly isRefused?: true
  /** What it asks of a generator. Absent: one kind of request, each different. */
  readonly sends?: PlanKind
  /** The step whose answers are the figure; absent: all answers. */
  readonly counts?: string
  /** Requests of the next phase. Not measured. */
  prepare(lab: Lab, preparation: Preparation): Promise<RequestPlan>
  /** Other load, from before the measurement until `signal` aborts; it must add no rows. A rejection fails the phase. */
  readonly alongside?: (lab: Lab, signal: AbortSignal) => Promise<void>
}
