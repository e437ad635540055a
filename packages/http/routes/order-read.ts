import { wireCodes } from '../codes.ts'
import { listOf, orderObject, orderWithCodesObject } from '../objects.ts'
import { listQuery } from '../page.ts'
import { problem } from '../problem.ts'
import { toJson } from '../route.ts'
import { id } from '../schema-fields.ts'
import { readRoute } from '../serve-read.ts'
import { wireList, wireOrder } from '../wire.ts'

const listParams = listQuery('order', {})

/** `GET /v1/orders`, newest first. */
export const orderList = readRoute({
  path: '/v1/orders',
  access: 'secret',
  summary: 'List orders, newest first',
  params: {},
  query: listParams.params,
  answer: listOf(orderObject, 'OrderList'),
  problems: [],
  read: ({ query }, { queries }) => {
    const read = listParams.read(query)
    if ('problem' in read) return read
    const { page } = read
    // One row more than asked for tells whether there are more.
    const rows = queries.listOrders({ ...page, limit: page.limit + 1 })
    const hasMore = rows.length > page.limit
    const surplusFirst = page.endingBefore !== null
    const data = hasMore ? (surplusFirst ? rows.slice(1) : rows.slice(0, -1)) : rows
    return { json: toJson(wireList(data.map(wireOrder), hasMore)) }
  },
})

/** `GET /v1/orders/{id}`, with the codes of its units. */
export const orderFind = readRoute({
  path: '/v1/orders/:id',
  access: 'secret',
  summary: 'Read an order, with the codes of its units',
  params: { id: id('order') },
  answer: orderWithCodesObject,
  problems: ['not_found'],
  read: ({ params }, { queries }) => {
    const orderId = params[0] ?? ''
    const order = queries.findOrder(orderId)
    if (order === null) return { problem: problem('not_found', `There is no order ${orderId}.`, 'id') }
    const codes = wireCodes(order, queries.listCodeUses(orderId))
    return { json: toJson({ ...wireOrder(order), codes }) }
  },
})
