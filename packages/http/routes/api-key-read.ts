import { apiKeyObject, listOf } from '@penstock/wire/objects.ts'
import { pageParams, QueryReader, readPage } from '../page.ts'
import { problem } from '../problem.ts'
import { toJson } from '../route.ts'
import { id } from '@penstock/wire/schema-fields.ts'
import { readRoute } from '../serve-read.ts'
import { wireApiKey, wireList } from '@penstock/wire/wire.ts'

const listQuery = new QueryReader(pageParams(id('key')))

/** `GET /v1/api_keys`, newest first, revoked and expired ones too. */
export const apiKeyList = readRoute({
  path: '/v1/api_keys',
  resource: 'api_keys',
  access: 'secret',
  summary: 'List API keys, newest first, revoked and expired ones too',
  params: {},
  query: listQuery.params,
  answer: listOf(apiKeyObject, 'ApiKeyList'),
  problems: [],
  read: ({ query }, { queries }) => {
    const split = listQuery.split(query)
    if ('problem' in split) return split
    const page = readPage(listQuery, split.params)
    if ('problem' in page) return page
    // One row more than asked for tells whether there are more.
    const rows = queries.listApiKeys({ ...page, limit: page.limit + 1 })
    const hasMore = rows.length > page.limit
    const surplusFirst = page.endingBefore !== null
    const data = hasMore ? (surplusFirst ? rows.slice(1) : rows.slice(0, -1)) : rows
    return { json: toJson(wireList(data.map(wireApiKey), hasMore)) }
  },
})

/** `GET /v1/api_keys/{id}` */
export const apiKeyFind = readRoute({
  path: '/v1/api_keys/:id',
  resource: 'api_keys',
  access: 'secret',
  summary: 'Read an API key, without its secret',
  params: { id: id('key') },
  answer: apiKeyObject,
  problems: ['not_found'],
  read: ({ params }, { queries }) => {
    const keyId = params[0] ?? ''
    const apiKey = queries.findApiKey(keyId)
    if (apiKey === null) return { problem: problem('not_found', `There is no API key ${keyId}.`, 'id') }
    return { json: toJson(wireApiKey(apiKey)) }
  },
})
