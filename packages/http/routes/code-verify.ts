import { findCode } from '../codes.ts'
import { expected } from '../expected.ts'
import { codeObject, codeText } from '@penstock/wire/objects.ts'
import { problem } from '../problem.ts'
import { jsonAnswer } from '../route.ts'
import { emptyBody } from '../schema.ts'
import { writeRoute } from '../serve-write.ts'
import { toSeconds } from '@penstock/wire/wire.ts'

/** `POST /v1/codes/{code}/verify`: the code of a unit, used once. */
export const codeVerify = writeRoute({
  method: 'POST',
  path: '/v1/codes/:code/verify',
  resource: 'codes',
  access: 'secret',
  summary: 'Use the code of a unit, once',
  params: { code: codeText },
  body: emptyBody,
  answers: { 200: codeObject },
  problems: ['not_found', 'code_used', 'code_void'],
  toCommand: ({ params, ownKey }, { queries }) => {
    const found = findCode(params[0] ?? '', queries)
    if (found === null) return { problem: problem('not_found', 'There is no such code.', 'code') }
    return { kind: 'use_code', key: ownKey(), orderId: found.order.id, holdId: found.hold.id, unit: found.unit }
  },
  toResponse: (result, { params }) => {
    const { orderId, skuId, usedMs } = expected(result, 'code_activated')
    return jsonAnswer(200, {
      object: 'code',
      code: params[0] ?? '',
      order: orderId,
      sku: skuId,
      status: 'used',
      used_at: toSeconds(usedMs),
    })
  },
})
