import { expected } from '../expected.ts'
import { holdObject, orderObject } from '@penstock/wire/objects.ts'
import { problem } from '../problem.ts'
import { jsonAnswer } from '../route.ts'
import { id } from '@penstock/wire/schema-fields.ts'
import { emptyBody } from '../schema.ts'
import { writeRoute } from '../serve-write.ts'
import { wireHold, wireOrder } from '@penstock/wire/wire.ts'

/** `POST /v1/holds/{id}/erase`: removes who the buyer was. */
export const holdErase = writeRoute({
  method: 'POST',
  path: '/v1/holds/:id/erase',
  resource: 'holds',
  access: 'secret',
  summary: 'Erase the customer of a hold for good',
  params: { id: id('hold') },
  body: emptyBody,
  answers: { 200: holdObject },
  problems: ['not_found'],
  toCommand: ({ params, key }) => ({ kind: 'erase_customer', key, holdId: params[0] ?? '' }),
  toResponse: (result, { nowMs }) => {
    const { hold } = expected(result, 'customer_erased')
    return jsonAnswer(200, wireHold(hold, nowMs, 'secret'))
  },
})

/** `POST /v1/orders/{id}/erase`: the same for the hold of an order. */
export const orderErase = writeRoute({
  method: 'POST',
  path: '/v1/orders/:id/erase',
  resource: 'orders',
  access: 'secret',
  summary: 'Erase the customer of an order and its hold for good',
  params: { id: id('order') },
  body: emptyBody,
  answers: { 200: orderObject },
  problems: ['not_found'],
  toCommand: ({ params, key }, { queries }) => {
    const orderId = params[0] ?? ''
    const order = queries.findOrder(orderId)
    if (order === null) return { problem: problem('not_found', `There is no order ${orderId}.`, 'id') }
    return { kind: 'erase_customer', key, holdId: order.hold.id }
  },
  toResponse: (result, { params }, { queries }) => {
    const { hold } = expected(result, 'customer_erased')
    const found = queries.findOrder(params[0] ?? '')
    if (found === null) throw new Error(`order ${params[0]} is gone`)
    return jsonAnswer(200, wireOrder({ ...found, hold }, 'secret'))
  },
})
