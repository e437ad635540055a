import { Worker } from 'node:worker_threads'

/**
 * Runs PASSIVE checkpoints in a thread with its own connection: the copying and the flush of the database file, some
 * 20 ms, happen beside the commits instead of between two of them. SQLite allows one checkpoint at a time and writers
 * beside it; what is committed meanwhile stays in the WAL.
 */
export class CheckpointThread {
  readonly #path: string
  readonly #onDone: (error: Error | null) => void
  #worker: Worker | null = null
  #isRunning = false

  /** `onDone` is called after each checkpoint, from the event loop. After an error the thread is gone. */
  constructor(path: string, onDone: (error: Error | null) => void) {
    this.#path = path
    this.#onDone = onDone
  }

  get isRunning(): boolean {
    return this.#isRunning
  }

  /** Call only while none is running. The first call starts the thread. */
  start(): void {
    this.#isRunning = true
    this.#worker ??= this.#open()
    this.#worker.postMessage(null)
  }

  /** Ends the thread; a checkpoint that runs is finished or repeated by whoever opens the database next. */
  close(): void {
    void this.#worker?.terminate()
    this.#worker = null
  }

  #open(): Worker {
    const worker = new Worker(new URL('./checkpoint-worker.ts', import.meta.url), { workerData: this.#path })
    // The writer decides when the process ends.
    worker.unref()
    worker.on('message', () => this.#done(null))
    worker.on('error', (error) => this.#done(error instanceof Error ? error : new Error(String(error))))
    return worker
  }

  #done(error: Error | null): void {
    this.#isRunning = false
    if (this.#worker !== null) this.#onDone(error)
  }
}
