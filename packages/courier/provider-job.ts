import { providerJobWindowMax, webhookJitterPercent } from '@penstock/domain/limits.ts'
import { ProviderError } from '@penstock/providers/provider.ts'
import { NotCommitted } from './commit.ts'

export interface ProviderJobDeps<Item> {
  /** For the log: `refunds at stripe`. */
  readonly name: string
  readonly concurrencyMax: number
  /**
   * Does it, or finds that nothing is to be done now. Must be safe to repeat. Rejects with ProviderError or NotCommitted;
   * anything else is a bug and ends the process. `signal` ends its calls.
   */
  readonly attempt: (item: Item, signal: AbortSignal) => Promise<void>
  readonly retryDelaysMs: readonly number[]
  readonly clock: () => number
  /** 0 to 1, for jitter. */
  readonly random: () => number
  readonly log: (message: string) => void
}

interface Task<Item> {
  readonly id: string
  readonly item: Item
  failures: number
  dueMs: number
  isRunning: boolean
}

/**
 * Work at one provider, so that none waits for another's: `concurrencyMax` at once, at most `providerJobWindowMax` in
 * memory. What failed and may succeed later is tried again after a wait with jitter; what was refused is let go, for
 * whoever offered it to offer it again. Nothing here is durable: what is to be done is in the database.
 */
export class ProviderJob<Item> {
  readonly #deps: ProviderJobDeps<Item>
  readonly #tasks = new Map<string, Task<Item>>()
  readonly #running = new Set<Promise<void>>()
  readonly #stop = new AbortController()
  /** In a row, over all tasks. */
  #failures = 0

  constructor(deps: ProviderJobDeps<Item>) {
    this.#deps = deps
  }

  /** True: it is done as soon as may be, or was here already. False: there is no room. */
  offer(id: string, item: Item): boolean {
    if (this.#tasks.has(id)) return true
    if (this.#tasks.size >= providerJobWindowMax) return false
    this.#tasks.set(id, { id, item, failures: 0, dueMs: 0, isRunning: false })
    return true
  }

  /** Starts what is due. */
  tick(): void {
    if (this.#running.size >= this.#deps.concurrencyMax || this.#stop.signal.aborted) return
    const nowMs = this.#deps.clock()
    for (const task of this.#tasks.values()) {
      if (this.#running.size >= this.#deps.concurrencyMax) return
      if (task.isRunning || task.dueMs > nowMs) continue
      task.isRunning = true
      const run = this.#run(task).finally(() => {
        this.#running.delete(run)
        this.tick()
      })
      this.#running.add(run)
    }
  }

  /** Starts nothing more and ends what runs. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await Promise.all(this.#running)
  }

  async #run(task: Task<Item>): Promise<void> {
    try {
      await this.#deps.attempt(task.item, this.#stop.signal)
      this.#tasks.delete(task.id)
      if (this.#failures > 0 && !this.#stop.signal.aborted) this.#deps.log(`${this.#deps.name}: working again`)
      this.#failures = 0
    } catch (error) {
      task.isRunning = false
      if (this.#stop.signal.aborted) return
      if (!(error instanceof ProviderError || error instanceof NotCommitted)) throw error
      this.#failed(task, error)
    }
  }

  #failed(task: Task<Item>, { retryable, message }: ProviderError | NotCommitted): void {
    const { name, retryDelaysMs, clock, random, log } = this.#deps
    if (!retryable) {
      this.#tasks.delete(task.id)
      return log(`${name}: ${task.id} has to wait: ${message}`)
    }
    // Once, not for each: when a provider is down, it is down for all.
    if (this.#failures === 0) log(`${name}: trying again later: ${message}`)
    this.#failures += 1
    const delayMs = retryDelaysMs[Math.min(task.failures, retryDelaysMs.length - 1)] ?? 0
    task.failures += 1
    task.dueMs = clock() + Math.ceil(delayMs * (1 + (webhookJitterPercent / 100) * random()))
  }
}
