import { constants, getPriority, setPriority } from 'node:os'
import { move, transferableSymbol, valueSymbol, workerData } from 'piscina'
import { SqliteScanner } from '@penstock/store-sqlite/sqlite-scanner.ts'
import { readPart } from './read-part.ts'
import type { Scanner } from '@penstock/store/scanner.ts'
import type { Part, PartRequest } from './read-part.ts'
import type { ReadWorkerData } from './read-pool.ts'

/** One thread for slow reads: the wiring, and nothing else. */

// On Linux a priority belongs to a thread: payments go before lists. Elsewhere this would slow the whole process.
if (process.platform === 'linux') setPriority(Math.max(getPriority(), constants.priority.PRIORITY_LOW))

const { databasePath } = workerData as ReadWorkerData
let scanner: Scanner | null = null

/** Opens the reader with the first task, so that what goes wrong fails that task and not the thread. */
export default function readOnePart(request: PartRequest): Part {
  scanner ??= new SqliteScanner(databasePath)
  const part = readPart(scanner, request)
  if (part.bytes.byteLength === 0) return part
  // The bytes change hands instead of being copied; piscina takes the wrapping off again.
  return move({ [transferableSymbol]: [part.bytes.buffer], [valueSymbol]: part }) as unknown as Part
}
