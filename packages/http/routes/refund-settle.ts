import { bodyParser } from '../json-body.ts'
import { expected } from '../expected.ts'
import { refundSettleBody } from '../schema.ts'
import { wireRefund } from '../wire.ts'
import type { Static } from 'typebox'
import type { WriteRoute } from '../serve-write.ts'

/** `POST /v1/refunds/{id}/settle`: what the provider made of a pending refund. */
export const refundSettle: WriteRoute<Static<typeof refundSettleBody>> = {
  method: 'POST',
  path: '/v1/refunds/:id/settle',
  access: 'secret',
  parseBody: bodyParser(refundSettleBody),
  toCommand: ({ body, params, key }) => ({
    kind: 'settle_refund',
    key,
    refundId: params[0] ?? '',
    status: body.status,
  }),
  toResponse: (result) => {
    const { refund } = expected(result, 'refund_saved')
    return { status: 200, json: JSON.stringify(wireRefund(refund)) }
  },
}
