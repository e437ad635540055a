import { expected } from '../expected.ts'
import { paymentObject } from '@penstock/wire/objects.ts'
import { jsonAnswer } from '../route.ts'
import { id } from '@penstock/wire/schema-fields.ts'
import { paymentAttachBody } from '../schema.ts'
import { writeRoute } from '../serve-write.ts'
import { wirePayment } from '@penstock/wire/wire.ts'

/** `POST /v1/payments/{id}/attach`: an unmatched payment gets the hold it belongs to. */
export const paymentAttach = writeRoute({
  method: 'POST',
  path: '/v1/payments/:id/attach',
  resource: 'payments',
  access: 'secret',
  summary: 'Give an unmatched payment the hold it belongs to',
  params: { id: id('payment') },
  body: paymentAttachBody,
  answers: { 200: paymentObject },
  problems: ['not_found', 'invalid_transition', 'payment_conflict', 'hold_not_active', 'sold_out', 'limit_reached'],
  toCommand: ({ body, params, key }) => ({
    kind: 'attach_payment',
    key,
    paymentId: params[0] ?? '',
    holdId: body.hold,
  }),
  toResponse: (result) => {
    const { payment } = expected(result, 'payment_attached')
    return jsonAnswer(200, wirePayment(payment))
  },
})
