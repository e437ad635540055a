import { bodyParser } from '../json-body.ts'
import { expected } from '../expected.ts'
import { paymentAttachBody } from '../schema.ts'
import { wirePayment } from '../wire.ts'
import type { Static } from 'typebox'
import type { WriteRoute } from '../serve-write.ts'

/** `POST /v1/payments/{id}/attach`: an unmatched payment gets the hold it belongs to. */
export const paymentAttach: WriteRoute<Static<typeof paymentAttachBody>> = {
  method: 'POST',
  path: '/v1/payments/:id/attach',
  access: 'secret',
  parseBody: bodyParser(paymentAttachBody),
  toCommand: ({ body, params, key, mint }) => ({
    kind: 'attach_payment',
    key,
    paymentId: params[0] ?? '',
    holdId: body.hold,
    orderId: mint.id('order'),
  }),
  toResponse: (result) => {
    const { payment } = expected(result, 'payment_attached')
    return { status: 200, json: JSON.stringify(wirePayment(payment)) }
  },
}
