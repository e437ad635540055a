import { expected } from '../expected.ts'
import { orderObject } from '@penstock/wire/objects.ts'
import { jsonAnswer } from '../route.ts'
import { id } from '@penstock/wire/schema-fields.ts'
import { emptyBody, orderCancelBody } from '../schema.ts'
import { writeRoute } from '../serve-write.ts'
import { wireOrder } from '@penstock/wire/wire.ts'
import type { Accepted } from '@penstock/domain/result.ts'

/** `POST /v1/orders/{id}/cancel`: ends the order and refunds what is left of it. */
export const orderCancel = writeRoute({
  method: 'POST',
  path: '/v1/orders/:id/cancel',
  resource: 'orders',
  access: 'secret',
  summary: 'Cancel an order and refund what is left of it',
  params: { id: id('order') },
  body: orderCancelBody,
  answers: { 200: orderObject },
  problems: ['not_found', 'invalid_transition'],
  toCommand: ({ body, params, key, mint }) => ({
    kind: 'cancel_order',
    key,
    orderId: params[0] ?? '',
    refundId: mint.id('refund'),
    restock: body.restock ?? false,
    reason: body.reason ?? null,
  }),
  toResponse: orderResponse,
})

/** `POST /v1/orders/{id}/fulfil`: the goods are on their way. */
export const orderFulfil = writeRoute({
  method: 'POST',
  path: '/v1/orders/:id/fulfil',
  resource: 'orders',
  access: 'secret',
  summary: 'Say that the goods are on their way',
  params: { id: id('order') },
  body: emptyBody,
  answers: { 200: orderObject },
  problems: ['not_found', 'invalid_transition'],
  toCommand: ({ params, key }) => ({ kind: 'fulfil_order', key, orderId: params[0] ?? '' }),
  toResponse: orderResponse,
})

function orderResponse(result: Accepted) {
  return jsonAnswer(200, wireOrder(expected(result, 'order_saved'), 'secret'))
}
