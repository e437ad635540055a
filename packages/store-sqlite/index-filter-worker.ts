import { parentPort, workerData } from 'node:worker_threads'
import { readHashes } from './index-filter.ts'
import { openReader } from './open.ts'
import type { FilledBits } from './hash-bits.ts'
import type { FilterOrder } from './index-filter.ts'

/** The thread of `IndexFilter`: reads one index, hands over its hashes, and ends. */
const { path, table } = workerData as FilterOrder
const db = openReader(path)
const { bytes, taken } = readHashes(db, table)
db.close()
parentPort?.postMessage({ bytes, taken } satisfies FilledBits, [bytes.buffer as ArrayBuffer])
