import { dropStatuses } from '@penstock/domain/drop.ts'
import { isId } from '@penstock/domain/id.ts'
import { searchLengthMax } from '@penstock/domain/limits.ts'
import { createdParams, pageParams, readCreated, readPage, readParams } from '../page.ts'
import { problem } from '../problem.ts'
import type { DropStatus } from '@penstock/domain/drop.ts'
import type { ReadRoute } from '../serve-read.ts'
import type { DropFilter } from '../catalogue.ts'
import type { Problem } from '../problem.ts'

/** `GET /v1/drops`: from bytes in memory. */
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
  const read = readParams(query, [...pageParams, ...createdParams, 'status', 'q'])
  if ('problem' in read) return read
  const page = readPage(read.params, 'a drop', (text) => isId('drop', text))
  if ('problem' in page) return page
  const created = readCreated(read.params)
  if ('problem' in created) return created
  const { status, q } = read.params
  if (status !== undefined && !isDropStatus(status)) {
    return { problem: problem('invalid_request', `status must be one of ${dropStatuses.join(', ')}.`, 'status') }
  }
  if (q !== undefined && (q === '' || q.length > searchLengthMax)) {
    return { problem: problem('invalid_request', `q must be a text of 1 to ${searchLengthMax} characters.`, 'q') }
  }
  return { status: status ?? null, search: q?.toLowerCase() ?? '', ...created, page }
}

function isDropStatus(text: string): text is DropStatus {
  return (dropStatuses as readonly string[]).includes(text)
}
