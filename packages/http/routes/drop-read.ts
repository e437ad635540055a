import { dropStatuses } from '@penstock/domain/drop.ts'
import { checkCursors, readListQuery } from '../page.ts'
import { problem } from '../problem.ts'
import type { DropStatus } from '@penstock/domain/drop.ts'
import type { ReadRoute } from '../serve-read.ts'
import type { DropFilter } from '../catalogue.ts'
import type { Problem } from '../problem.ts'

/** `GET /v1/drops?status=`: from bytes in memory. */
export const dropList: ReadRoute = {
  path: '/v1/drops',
  resource: 'drops',
  access: 'publishable',
  read: ({ query, credential }, { catalogue }) => {
    // A query that was answered before was valid before.
    const cached = catalogue.recall(query, credential.kind)
    if (cached !== undefined) return cached
    const filter = readFilter(query)
    return 'problem' in filter ? filter : catalogue.list(query, credential.kind, filter)
  },
}

/** `GET /v1/drops/{id}` */
export const dropFind: ReadRoute = {
  path: '/v1/drops/:id',
  resource: 'drops',
  access: 'publishable',
  read: ({ params, credential }, { catalogue }) => {
    const id = params[0] ?? ''
    return catalogue.find(id, credential.kind) ?? { problem: problem('not_found', `There is no drop ${id}.`, 'id') }
  },
}

function readFilter(query: string): DropFilter | { problem: Problem } {
  const read = readListQuery(query, ['status'])
  if ('problem' in read) return read
  const cursors = checkCursors(read.page, 'drop')
  if (cursors !== null) return { problem: cursors }
  const { status } = read.filters
  if (status !== undefined && !isDropStatus(status)) {
    return { problem: problem('invalid_request', `status must be one of ${dropStatuses.join(', ')}.`, 'status') }
  }
  return { status: status ?? null, page: read.page }
}

function isDropStatus(text: string): text is DropStatus {
  return (dropStatuses as readonly string[]).includes(text)
}
