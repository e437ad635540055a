import { expected } from '../expected.ts'
import { refundObject } from '@penstock/wire/objects.ts'
import { jsonAnswer } from '../route.ts'
import { refundCreateBody } from '../schema.ts'
import { writeRoute } from '../serve-write.ts'
import { wireRefund } from '@penstock/wire/wire.ts'

/** `POST /v1/refunds`: sends money back, all that is left or a part. */
export const refundCreate = writeRoute({
  method: 'POST',
  path: '/v1/refunds',
  resource: 'refunds',
  access: 'secret',
  summary: 'Send money back: all that is left of a payment, an amount, or the price of lines',
  params: {},
  body: refundCreateBody,
  answers: { 201: refundObject },
  problems: ['not_found', 'refund_too_large'],
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
    return jsonAnswer(201, wireRefund(refund))
  },
})
