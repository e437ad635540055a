import { bodyParser } from '../json-body.ts'
import { expected } from '../expected.ts'
import { refundCreateBody } from '../schema.ts'
import { wireRefund } from '../wire.ts'
import type { Static } from 'typebox'
import type { WriteRoute } from '../serve-write.ts'

/** `POST /v1/refunds`: sends money back, all that is left or a part. */
export const refundCreate: WriteRoute<Static<typeof refundCreateBody>> = {
  method: 'POST',
  path: '/v1/refunds',
  access: 'secret',
  parseBody: bodyParser(refundCreateBody),
  toCommand: ({ body, key, mint }) => ({
    kind: 'create_refund',
    key,
    refundId: mint.id('refund'),
    paymentId: body.payment,
    amountMinor: body.amount ?? null,
    lines: body.lines?.map(({ sku, quantity }) => ({ skuId: sku, quantity })) ?? null,
    restock: body.restock ?? false,
    reason: body.reason ?? null,
  }),
  toResponse: (result) => {
    const { refund } = expected(result, 'refund_saved')
    return { status: 201, json: JSON.stringify(wireRefund(refund)) }
  },
}
