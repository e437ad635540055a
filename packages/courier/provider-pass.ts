import { courierCallMs, providerJobConcurrencyMax } from '@penstock/domain/limits.ts'
import { PassWalk } from './pass-walk.ts'
import { ProviderJob } from './provider-job.ts'
import type { CallOptions } from '@penstock/providers/provider.ts'
import type { PassWalkDeps } from './pass-walk.ts'
import type { ProviderJobDeps } from './provider-job.ts'

export interface ProviderPassDeps<Row>
  extends
    Pick<ProviderJobDeps<Row>, 'name' | 'retryDelaysMs' | 'clock' | 'random' | 'log'>,
    Pick<PassWalkDeps<Row>, 'read' | 'placeOf' | 'basesOf'> {
  /** See `Settings`. */
  readonly reconcileAgesMs: readonly number[]
  /** Between the starts of two passes; the first age when that is less. */
  readonly passMaxMs: number
  /** Absent: every row is. */
  readonly isWanted?: (row: Row) => boolean
  /** As `attempt` of a ProviderJob, with what to give to the provider's calls. */
  readonly attempt: (row: Row, call: CallOptions) => Promise<void>
}

/** Rows that wait for one provider: a walk that meets them again and again, and a job that works on those it offers. */
export class ProviderPass<Row> {
  readonly #clock: () => number
  readonly #job: ProviderJob<Row>
  readonly #walk: PassWalk<Row>

  constructor(deps: ProviderPassDeps<Row>) {
    const { attempt, placeOf, isWanted, reconcileAgesMs: agesMs, passMaxMs } = deps
    this.#clock = deps.clock
    this.#job = new ProviderJob({
      ...deps,
      concurrencyMax: providerJobConcurrencyMax,
      attempt: (row, signal) => attempt(row, { deadlineMs: courierCallMs, signal }),
    })
    this.#walk = new PassWalk({
      ...deps,
      agesMs,
      passMs: Math.min(passMaxMs, agesMs[0] ?? passMaxMs),
      offer: (row) => isWanted?.(row) === false || this.#job.offer(placeOf(row).id, row),
    })
  }

  tick(): void {
    this.#walk.tick(this.#clock())
    this.#job.tick()
  }

  stop(): Promise<void> {
    return this.#job.stop()
  }
}
