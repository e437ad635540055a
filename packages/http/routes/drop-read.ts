import { dropStatuses } from '@penstock/domain/drop.ts'
import { searchLengthMax } from '@penstock/domain/limits.ts'
import { dropObject, listOf } from '@penstock/wire/objects.ts'
import { createdParams, pageParams, QueryReader, readCreated, readPage } from '../page.ts'
import { problem } from '../problem.ts'
import { id, oneOf, text } from '@penstock/wire/schema-fields.ts'
import { readRoute } from '../serve-read.ts'
import type { DropStatus } from '@penstock/domain/drop.ts'
import type { DropFilter } from '../catalogue.ts'
import type { Problem } from '../problem.ts'

const listQuery = new QueryReader({
  ...pageParams(id('drop')),
  ...createdParams,
  status: oneOf(dropStatuses, `one of ${dropStatuses.join(', ')}`),
  q: text('a text to search for', searchLengthMax, { example: 'friday' }),
})

/** `GET /v1/drops`: from bytes in memory. */
export const dropList = readRoute({
  path: '/v1/drops',
  resource: 'drops',
  access: 'publishable',
  summary: 'List drops, newest first; drafts for secret keys only',
  params: {},
  query: listQuery.params,
  answer: listOf(dropObject, 'DropList'),
  problems: [],
  hasTag: true,
  read: ({ query, credential }, { catalogue }) => {
    // A query that was answered before was valid before.
    const cached = catalogue.recall(query, credential.kind)
    if (cached !== undefined) return cached
    const filter = readFilter(query)
    return 'problem' in filter ? filter : catalogue.list(query, credential.kind, filter)
  },
})

function readFilter(query: string): DropFilter | { readonly problem: Problem } {
  const split = listQuery.split(query)
  if ('problem' in split) return split
  const { params } = split
  const page = readPage(listQuery, params)
  if ('problem' in page) return page
  const created = readCreated(listQuery, params)
  if ('problem' in created) return created
  const wrong = listQuery.firstWrong(params, ['status', 'q'])
  if (wrong !== null) return wrong
  const status = (params.status ?? null) as DropStatus | null
  return { status, search: params.q?.toLowerCase() ?? '', ...created, page }
}

/** `GET /v1/drops/{id}` */
export const dropFind = readRoute({
  path: '/v1/drops/:id',
  resource: 'drops',
  access: 'publishable',
  summary: 'Read a drop; drafts for secret keys only',
  params: { id: id('drop') },
  answer: dropObject,
  problems: ['not_found'],
  hasTag: true,
  read: ({ params, credential }, { catalogue }) => {
    const dropId = params[0] ?? ''
    const found = catalogue.find(dropId, credential.kind)
    return found ?? { problem: problem('not_found', `There is no drop ${dropId}.`, 'id') }
  },
})
