import { expected } from '../expected.ts'
import { paymentObject } from '@penstock/wire/objects.ts'
import { jsonAnswer } from '../route.ts'
import { paymentCreateBody } from '../schema.ts'
import { writeRoute } from '../serve-write.ts'
import { wirePayment } from '@penstock/wire/wire.ts'

/** `POST /v1/payments`: money arrived for a hold. 201 when it is new, 200 when it was reported before. */
export const paymentCreate = writeRoute({
  method: 'POST',
  path: '/v1/payments',
  resource: 'payments',
  access: 'secret',
  summary: 'Report money that arrived for a hold: 201 when it is new, 200 when it was reported before',
  params: {},
  body: paymentCreateBody,
  answers: { 200: paymentObject, 201: paymentObject },
  problems: ['payment_conflict'],
  toCommand: ({ body, key, mint }) => ({
    kind: 'capture_payment',
    key,
    paymentId: mint.id('payment'),
    holdId: body.hold,
    provider: body.provider,
    providerPaymentId: body.provider_payment_id,
    amountMinor: body.amount,
    currency: body.currency,
  }),
  toResponse: (result) => {
    const { payment, duplicate } = expected(result, 'payment_recorded')
    return jsonAnswer(duplicate ? 200 : 201, wirePayment(payment))
  },
})
