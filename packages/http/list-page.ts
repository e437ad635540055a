import { scanRowsPerStep, slowReadDeadlineMs } from '@penstock/domain/limits.ts'
import type { Page } from '@penstock/store/queries.ts'
import type { Selection } from '@penstock/store/scanner.ts'
import type { ReadPart } from './read-part.ts'

/** One page of a list: objects as JSON, newest first. */
export interface ListPage {
  readonly items: readonly string[]
  readonly hasMore: boolean
  /** The id to go on from, when time ran out before the page was full or the end was reached; else null. */
  readonly scannedTo: string | null
}

/**
 * Reads until the page is full, until there is nothing more, or until `slowReadDeadlineMs` have passed: then the page
 * is what was found. Between two steps `isWanted` is asked too; when it says no, the rest is not read.
 */
export async function readListPage(
  readPart: ReadPart,
  selection: Selection,
  page: Page,
  clock: () => number,
  isWanted: () => boolean,
): Promise<ListPage> {
  const deadlineMs = clock() + slowReadDeadlineMs
  const forward = page.endingBefore === null
  const direction = forward ? 'newest_first' : 'oldest_first'
  const inOrder = (items: readonly string[]): readonly string[] => (forward ? items : items.toReversed())
  const items: string[] = []
  let after = forward ? page.startingAfter : page.endingBefore
  for (;;) {
    // One more than asked for tells whether there are more.
    const matchesMax = page.limit + 1 - items.length
    const request = { ...selection, direction, after, rowsMax: scanRowsPerStep, matchesMax } as const
    const part = await readPart({ ...request, format: 'list' })
    items.push(...part.items)
    if (items.length > page.limit) {
      return { items: inOrder(items.slice(0, page.limit)), hasMore: true, scannedTo: null }
    }
    after = part.scannedTo
    if (after === null) return { items: inOrder(items), hasMore: false, scannedTo: null }
    if (clock() >= deadlineMs || !isWanted()) return { items: inOrder(items), hasMore: true, scannedTo: after }
  }
}

export function renderListPage({ items, hasMore, scannedTo }: ListPage): string {
  const rest = scannedTo === null ? '' : `,"scanned_to":${JSON.stringify(scannedTo)}`
  return `{"object":"list","data":[${items.join(',')}],"has_more":${hasMore}${rest}}`
}
