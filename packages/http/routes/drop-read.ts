import Type from 'typebox'
import { dropStatuses } from '@penstock/domain/drop.ts'
import { dropObject, listOf } from '../objects.ts'
import { listQuery } from '../page.ts'
import { problem } from '../problem.ts'
import { id } from '../schema-fields.ts'
import { readRoute } from '../serve-read.ts'

const listParams = listQuery('drop', {
  status: Type.Enum([...dropStatuses], { description: `one of ${dropStatuses.join(', ')}`, examples: ['live'] }),
})

/** `GET /v1/drops?status=`: from bytes in memory. */
export const dropList = readRoute({
  path: '/v1/drops',
  access: 'publishable',
  summary: 'List drops, newest first; drafts for secret keys only',
  params: {},
  query: listParams.params,
  answer: listOf(dropObject, 'DropList'),
  problems: [],
  hasTag: true,
  read: ({ query, credential }, { catalogue }) => {
    // A query that was answered before was valid before.
    const cached = catalogue.recall(query, credential.kind)
    if (cached !== undefined) return cached
    const read = listParams.read(query)
    if ('problem' in read) return read
    const { page, filters } = read
    return catalogue.list(query, credential.kind, { status: filters.status ?? null, page })
  },
})

/** `GET /v1/drops/{id}` */
export const dropFind = readRoute({
  path: '/v1/drops/:id',
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
