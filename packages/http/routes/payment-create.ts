import { bodyParser } from '../json-body.ts'
import { expected } from '../expected.ts'
import { paymentCreateBody } from '../schema.ts'
import { wirePayment } from '../wire.ts'
import type { Static } from 'typebox'
import type { WriteRoute } from '../serve-write.ts'

/** `POST /v1/payments`: money arrived for a hold. 201 when it is new, 200 when it was reported before. */
export const paymentCreate: WriteRoute<Static<typeof paymentCreateBody>> = {
  method: 'POST',
  path: '/v1/payments',
  resource: 'payments',
  access: 'secret',
  parseBody: bodyParser(paymentCreateBody),
  toCommand: ({ body, key, mint }) => ({
    kind: 'capture_payment',
    key,
    paymentId: mint.id('payment'),
    orderId: mint.id('order'),
    holdId: body.hold,
    provider: body.provider,
    providerPaymentId: body.provider_payment_id,
    amountMinor: body.amount,
    currency: body.currency,
  }),
  toResponse: (result) => {
    const { payment, duplicate } = expected(result, 'payment_recorded')
    return { status: duplicate ? 200 : 201, json: JSON.stringify(wirePayment(payment)) }
  },
}
