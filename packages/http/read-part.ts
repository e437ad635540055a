import { collections } from './collections.ts'
import { csvLine } from './csv.ts'
import type { CollectionName, Scanner, ScanRequest } from '@penstock/store/scanner.ts'
import type { Collection } from './collections.ts'

/** What the thread for slow reads is asked: one step of a list or of an export. Plain data. */
export type PartRequest = ScanRequest & { readonly format: 'list' | ExportFormat }

export type ExportFormat = (typeof exportFormats)[number]
export const exportFormats = ['csv', 'ndjson'] as const

/** One step, rendered, so that the event loop has only to pass it on. */
export interface Part {
  /** For `list`: each object as JSON. */
  readonly items: readonly string[]
  /** For an export: its lines, UTF-8; empty when the step found nothing. */
  readonly bytes: Uint8Array
  /** As in `ScanStep`. */
  readonly scannedTo: string | null
}

export type ReadPart = (request: PartRequest) => Promise<Part>

const noBytes = new Uint8Array()

/** Runs in the thread. */
export function readPart(scanner: Scanner, request: PartRequest): Part {
  const { rows, scannedTo } = scanner.scan(request)
  // The scanner gives rows of the collection it was asked for.
  const collection = collections[request.collection] as unknown as AnyCollection
  const toJson = (row: unknown): string => JSON.stringify(collection.wire(row, request.nowMs))
  switch (request.format) {
    case 'list':
      return { items: rows.map(toJson), bytes: noBytes, scannedTo }
    case 'ndjson':
      return { items: [], bytes: encode(rows.map((row) => `${toJson(row)}\n`)), scannedTo }
    case 'csv':
      return {
        items: [],
        bytes: encode(rows.map((row) => csvLine(collection.csvCells(row, request.nowMs)))),
        scannedTo,
      }
  }
}

type AnyCollection = Pick<Collection, 'path'> & {
  readonly wire: (row: unknown, nowMs: number) => object
  readonly csvCells: (row: unknown, nowMs: number) => Parameters<typeof csvLine>[0]
}

/** Memory of its own, not a piece of Node's pool: it is handed over to another thread. */
function encode(lines: readonly string[]): Uint8Array {
  return new TextEncoder().encode(lines.join(''))
}

/** The first line of an export, if it has one. */
export function exportHeader(name: CollectionName, format: ExportFormat): Uint8Array {
  return format === 'csv' ? encode([csvLine(collections[name].csvHeader)]) : noBytes
}
