import { checkCursors, readListQuery } from '../page.ts'
import { wireCodes } from '../codes.ts'
import { problem } from '../problem.ts'
import { wireOrder } from '../wire.ts'
import type { ReadRoute } from '../serve-read.ts'

/** `GET /v1/orders`, newest first. */
export const orderList: ReadRoute = {
  path: '/v1/orders',
  access: 'secret',
  read: ({ query }, { queries }) => {
    const read = readListQuery(query, [])
    if ('problem' in read) return read
    const { page } = read
    const cursors = checkCursors(page, 'order')
    if (cursors !== null) return { problem: cursors }
    // One row more than asked for tells whether there are more.
    const rows = queries.listOrders({ ...page, limit: page.limit + 1 })
    const hasMore = rows.length > page.limit
    const surplusFirst = page.endingBefore !== null
    const data = hasMore ? (surplusFirst ? rows.slice(1) : rows.slice(0, -1)) : rows
    return { json: JSON.stringify({ object: 'list', data: data.map(wireOrder), has_more: hasMore }) }
  },
}

/** `GET /v1/orders/{id}`, with the codes of its units. */
export const orderFind: ReadRoute = {
  path: '/v1/orders/:id',
  access: 'secret',
  read: ({ params }, { queries }) => {
    const id = params[0] ?? ''
    const order = queries.findOrder(id)
    if (order === null) return { problem: problem('not_found', `There is no order ${id}.`, 'id') }
    const codes = wireCodes(order, queries.listCodeUses(id))
    return { json: JSON.stringify({ ...wireOrder(order), codes }) }
  },
}
