import { expected } from '../expected.ts'
import { refundObject } from '@penstock/wire/objects.ts'
import { jsonAnswer } from '../route.ts'
import { id } from '@penstock/wire/schema-fields.ts'
import { refundSettleBody } from '../schema.ts'
import { writeRoute } from '../serve-write.ts'
import { wireRefund } from '@penstock/wire/wire.ts'

/** `POST /v1/refunds/{id}/settle`: what the provider made of a pending refund. */
export const refundSettle = writeRoute({
  method: 'POST',
  path: '/v1/refunds/:id/settle',
  resource: 'refunds',
  access: 'secret',
  summary: 'Say what the provider made of a pending refund',
  params: { id: id('refund') },
  body: refundSettleBody,
  answers: { 200: refundObject },
  problems: ['not_found', 'invalid_transition'],
  toCommand: ({ body, params, key }) => ({
    kind: 'settle_refund',
    key,
    refundId: params[0] ?? '',
    status: body.status,
  }),
  toResponse: (result) => {
    const { refund } = expected(result, 'refund_saved')
    return jsonAnswer(200, wireRefund(refund))
  },
})
