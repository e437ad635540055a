import { bodyParser } from '../json-body.ts'
import { expected } from '../expected.ts'
import { emptyBody, orderCancelBody } from '../schema.ts'
import { wireOrder } from '../wire.ts'
import type { Accepted } from '@penstock/domain/result.ts'
import type { Static } from 'typebox'
import type { JsonResponse, WriteRoute } from '../serve-write.ts'

/** `POST /v1/orders/{id}/cancel`: ends the order and refunds what is left of it. */
export const orderCancel: WriteRoute<Static<typeof orderCancelBody>> = {
  method: 'POST',
  path: '/v1/orders/:id/cancel',
  resource: 'orders',
  access: 'secret',
  parseBody: bodyParser(orderCancelBody),
  toCommand: ({ body, params, key, mint }) => ({
    kind: 'cancel_order',
    key,
    orderId: params[0] ?? '',
    refundId: mint.id('refund'),
    restock: body.restock ?? false,
    reason: body.reason ?? null,
  }),
  toResponse: orderResponse,
}

/** `POST /v1/orders/{id}/fulfil`: the goods are on their way. */
export const orderFulfil: WriteRoute<Static<typeof emptyBody>> = {
  method: 'POST',
  path: '/v1/orders/:id/fulfil',
  resource: 'orders',
  access: 'secret',
  parseBody: bodyParser(emptyBody),
  toCommand: ({ params, key }) => ({ kind: 'fulfil_order', key, orderId: params[0] ?? '' }),
  toResponse: orderResponse,
}

function orderResponse(result: Accepted): JsonResponse {
  return { status: 200, json: JSON.stringify(wireOrder(expected(result, 'order_saved'), 'secret')) }
}
