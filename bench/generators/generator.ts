import type { Latency } from './latency.ts'
import type { RequestPlan } from './plan.ts'

export interface Load {
  /** http://host:port */
  readonly url: string
  readonly plan: RequestPlan
  readonly connections: number
  readonly durationMs: number
}

export interface LoadResult {
  /** First request to last answer. */
  readonly elapsedMs: number
  /** Answers that their step expects. */
  readonly ok: number
  /** Other answers. */
  readonly refused: number
  /** Requests without an answer, by a broken connection or a timeout: their outcome is unknown. */
  readonly errors: number
  /** Failed attempts to open a connection before there was a request for it: the load came from fewer. */
  readonly failedConnects: number
  readonly latencyUs: Latency
  /** The prepared tokens were used up before the time was over. */
  readonly ranOut: boolean
  /** `ok`, by the name of the step. */
  readonly answers: Readonly<Record<string, number>>
  /** Null: a closed loop. */
  readonly schedule: ScheduleFacts | null
}

/** How well an open loop kept its schedule. Its latency counts from the intended time of sending. */
export interface ScheduleFacts {
  readonly perSecond: number
  /** Expected answers that came before the duration was over, per second of it. */
  readonly actualPerSecond: number
  /** Requests of the schedule. */
  readonly planned: number
  /** Never sent: every connection was waiting for an answer until the end. They count with the time they had waited. */
  readonly unsent: number
  /** How late requests went out by the generator's own fault: a connection was free. Microseconds. */
  readonly lateUs: { readonly p50: number; readonly p99: number; readonly max: number }
  /** The busiest event loop of the generator, from 0 to 1. Near 1 it measures itself. */
  readonly loopBusy: number
}

export interface LoadHooks {
  /** The processes that make the load, when the first request goes out. */
  readonly onStarted: (pids: readonly number[]) => void
  readonly signal: AbortSignal
}

/**
 * What a plan asks of a generator: the same request over and over; one kind of request, each different and counted; or
 * several kinds in turn, where later ones use the ids in earlier answers.
 */
export type PlanKind = 'constant' | 'variable' | 'mix'

/** A load generator. Of a closed loop each connection sends its next request when the last one is answered. */
export interface Generator {
  readonly name: string
  /** With version and size, for the report. */
  readonly description: string
  /** What it can send. A plan of another kind rejects. */
  readonly sends: ReadonlySet<PlanKind>
  run(load: Load, hooks: LoadHooks): Promise<LoadResult>
}
