import { parentPort, workerData } from 'node:worker_threads'
import { openCheckpointer } from './open.ts'

/** The thread of `CheckpointThread`: one PASSIVE checkpoint for every message, answered when it is done. */
const passive = openCheckpointer(workerData as string).prepare('PRAGMA wal_checkpoint(PASSIVE)')

parentPort?.on('message', () => {
  passive.get()
  parentPort?.postMessage(null)
})
