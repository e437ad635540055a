import { expected } from '../expected.ts'
import { bodyParser } from '../json-body.ts'
import { problem } from '../problem.ts'
import { emptyBody } from '../schema.ts'
import { wireHold, wireOrder } from '../wire.ts'
import type { Static } from 'typebox'
import type { WriteRoute } from '../serve-write.ts'

/** `POST /v1/holds/{id}/erase`: removes who the buyer was. */
export const holdErase: WriteRoute<Static<typeof emptyBody>> = {
  method: 'POST',
  path: '/v1/holds/:id/erase',
  resource: 'holds',
  access: 'secret',
  parseBody: bodyParser(emptyBody),
  toCommand: ({ params, key }) => ({ kind: 'erase_customer', key, holdId: params[0] ?? '' }),
  toResponse: (result, { nowMs }) => {
    const { hold } = expected(result, 'customer_erased')
    return { status: 200, json: JSON.stringify(wireHold(hold, nowMs, 'secret')) }
  },
}

/** `POST /v1/orders/{id}/erase`: the same for the hold of an order. */
export const orderErase: WriteRoute<Static<typeof emptyBody>> = {
  method: 'POST',
  path: '/v1/orders/:id/erase',
  resource: 'orders',
  access: 'secret',
  parseBody: bodyParser(emptyBody),
  toCommand: ({ params, key }, { queries }) => {
    const id = params[0] ?? ''
    const order = queries.findOrder(id)
    if (order === null) return { problem: problem('not_found', `There is no order ${id}.`, 'id') }
    return { kind: 'erase_customer', key, holdId: order.hold.id }
  },
  toResponse: (result, { params }, { queries }) => {
    const { hold } = expected(result, 'customer_erased')
    const found = queries.findOrder(params[0] ?? '')
    if (found === null) throw new Error(`order ${params[0]} is gone`)
    return { status: 200, json: JSON.stringify(wireOrder({ ...found, hold }, 'secret')) }
  },
}
