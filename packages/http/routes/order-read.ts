import { wireCodes } from '../codes.ts'
import { orderWithCodesObject } from '../objects.ts'
import { problem } from '../problem.ts'
import { toJson } from '../route.ts'
import { id } from '../schema-fields.ts'
import { readRoute } from '../serve-read.ts'
import { wireOrder } from '../wire.ts'

/** `GET /v1/orders/{id}`, with the codes of its units. */
export const orderFind = readRoute({
  path: '/v1/orders/:id',
  resource: 'orders',
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
