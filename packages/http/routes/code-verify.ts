import { findCode } from '../codes.ts'
import { expected } from '../expected.ts'
import { bodyParser } from '../json-body.ts'
import { problem } from '../problem.ts'
import { emptyBody } from '../schema.ts'
import { toSeconds } from '../wire.ts'
import type { Static } from 'typebox'
import type { WriteRoute } from '../serve-write.ts'

/** `POST /v1/codes/{code}/verify`: the code of a unit, used once. */
export const codeVerify: WriteRoute<Static<typeof emptyBody>> = {
  method: 'POST',
  path: '/v1/codes/:code/verify',
  access: 'secret',
  parseBody: bodyParser(emptyBody),
  toCommand: ({ params, ownKey }, { queries }) => {
    const found = findCode(params[0] ?? '', queries)
    if (found === null) return { problem: problem('not_found', 'There is no such code.', 'code') }
    return { kind: 'use_code', key: ownKey(), orderId: found.order.id, holdId: found.hold.id, unit: found.unit }
  },
  toResponse: (result, { params }) => {
    const { orderId, skuId, usedMs } = expected(result, 'code_activated')
    const code = { object: 'code', code: params[0], order: orderId, sku: skuId, status: 'used' }
    return { status: 200, json: JSON.stringify({ ...code, used_at: toSeconds(usedMs) }) }
  },
}
