import { fileURLToPath } from 'node:url'
import { Piscina } from 'piscina'
import {
  exportsMax,
  slowListsMax,
  slowReadHeapMb,
  slowReadStepMs,
  slowReadThreadIdleMs,
  slowReadThreads,
} from '@penstock/domain/limits.ts'
import { SlowReadTimeout } from './slow-reads.ts'
import type { Part, PartRequest } from './read-part.ts'

/** What the thread is told when it starts. */
export interface ReadWorkerData {
  readonly databasePath: string
}

/**
 * The threads for slow reads, each with a reader of its own (`read-worker-main.ts`); they start with the first slow read
 * and end when nobody needs them. A task is one short step, so that a list waits behind one step of an export and not
 * behind all of it. Whoever reads has one step in the queue at a time: the gates in `slow-reads.ts` bound it.
 */
export class ReadPool {
  readonly #pool: Piscina<PartRequest, Part>

  /** `onError` gets what went wrong in a thread that had nothing to do. */
  constructor(databasePath: string, onError: (error: unknown) => void) {
    this.#pool = new Piscina<PartRequest, Part>({
      filename: fileURLToPath(new URL('./read-worker-main.ts', import.meta.url)),
      workerData: { databasePath } satisfies ReadWorkerData,
      minThreads: 0,
      maxThreads: slowReadThreads,
      idleTimeout: slowReadThreadIdleMs,
      maxQueue: slowListsMax + exportsMax,
      concurrentTasksPerWorker: 1,
      recordTiming: false,
      resourceLimits: { maxOldGenerationSizeMb: slowReadHeapMb },
    })
    this.#pool.on('error', (error: unknown) => {
      if (!isLateAnswer(error)) onError(error)
    })
  }

  /**
   * Rejects with SlowReadTimeout after `slowReadStepMs`, and then the thread is ended: SQLite cannot be interrupted here
   * (better-sqlite3 leaves the progress handler out), and a step that takes so long must not hold the database.
   */
  readonly readPart = async (request: PartRequest): Promise<Part> => {
    const signal = AbortSignal.timeout(slowReadStepMs)
    try {
      return await this.#pool.run(request, { signal })
    } catch (error) {
      if (signal.aborted) throw new SlowReadTimeout('a slow read was ended', { cause: error })
      throw error
    }
  }

  get threads(): number {
    return this.#pool.threads.length
  }

  /** Ends the threads; what is under way rejects. */
  close(): Promise<void> {
    return this.#pool.destroy()
  }
}

/**
 * The answer of a step that was ended, come between the abort and the end of its thread. Piscina puts all of it, buyers
 * included, into the message, which no log may have.
 */
function isLateAnswer(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('Unexpected message from Worker')
}
