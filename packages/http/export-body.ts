import { exportDeadlineMs, exportRowsPerStep, scanRowsPerStep } from '@penstock/domain/limits.ts'
import { exportHeader } from './read-part.ts'
import type { Selection } from '@penstock/store/scanner.ts'
import type { ExportFormat, Part, ReadPart } from './read-part.ts'

/** What an export is made of. */
export interface ExportPlan {
  readonly selection: Selection
  readonly format: ExportFormat
}

/** Newest first, as the list. `after`: the id where the last step ended; null for the first. */
export function readExportPart(
  readPart: ReadPart,
  { selection, format }: ExportPlan,
  after: string | null,
): Promise<Part> {
  const bounds = { rowsMax: scanRowsPerStep, matchesMax: exportRowsPerStep }
  return readPart({ ...selection, ...bounds, direction: 'newest_first', after, format })
}

/**
 * An export in pieces, of which only one is in memory: the next step is read when the piece before it was taken. `first`
 * is its first step, read already, so that what fails there can still be answered as a problem. A piece is empty when
 * its step found nothing. Throws when `exportDeadlineMs` have passed.
 */
export async function* exportBody(
  readPart: ReadPart,
  plan: ExportPlan,
  first: Part,
  clock: () => number,
): AsyncGenerator<Uint8Array> {
  const deadlineMs = clock() + exportDeadlineMs
  yield exportHeader(plan.selection.collection, plan.format)
  let part = first
  for (;;) {
    yield part.bytes
    if (part.scannedTo === null) return
    if (clock() >= deadlineMs) throw new Error(`an export was broken off after ${exportDeadlineMs} ms`)
    part = await readExportPart(readPart, plan, part.scannedTo)
  }
}

/** `orders-20261122T163010Z.csv` */
export function exportFileName({ selection, format }: ExportPlan): string {
  const time = new Date(selection.nowMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')
  return `${selection.collection}-${time}Z.${format}`
}

export const exportTypes: Readonly<Record<ExportFormat, string>> = {
  csv: 'text/csv; charset=utf-8; header=present',
  ndjson: 'application/x-ndjson; charset=utf-8',
}
