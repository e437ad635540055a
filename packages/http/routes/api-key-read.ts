import { isId } from '@penstock/domain/id.ts'
import { pageParams, readPage, readParams } from '../page.ts'
import { problem } from '../problem.ts'
import { wireApiKey } from '../wire.ts'
import type { ReadRoute } from '../serve-read.ts'

/** `GET /v1/api_keys`, newest first, revoked and expired ones too. */
export const apiKeyList: ReadRoute = {
  path: '/v1/api_keys',
  resource: 'api_keys',
  access: 'secret',
  read: ({ query }, { queries }) => {
    const read = readParams(query, pageParams)
    if ('problem' in read) return read
    const page = readPage(read.params, 'a key', (text) => isId('key', text))
    if ('problem' in page) return page
    // One row more than asked for tells whether there are more.
    const rows = queries.listApiKeys({ ...page, limit: page.limit + 1 })
    const hasMore = rows.length > page.limit
    const surplusFirst = page.endingBefore !== null
    const data = hasMore ? (surplusFirst ? rows.slice(1) : rows.slice(0, -1)) : rows
    return {
      json: JSON.stringify({ object: 'list', data: data.map((apiKey) => wireApiKey(apiKey)), has_more: hasMore }),
    }
  },
}

/** `GET /v1/api_keys/{id}` */
export const apiKeyFind: ReadRoute = {
  path: '/v1/api_keys/:id',
  resource: 'api_keys',
  access: 'secret',
  read: ({ params }, { queries }) => {
    const id = params[0] ?? ''
    const apiKey = queries.findApiKey(id)
    if (apiKey === null) return { problem: problem('not_found', `There is no API key ${id}.`, 'id') }
    return { json: JSON.stringify(wireApiKey(apiKey)) }
  },
}
