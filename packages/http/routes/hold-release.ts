import { bodyParser } from '../json-body.ts'
import { expected } from '../expected.ts'
import { emptyBody } from '../schema.ts'
import { wireHold } from '../wire.ts'
import { readHoldProof } from './hold-access.ts'
import type { Static } from 'typebox'
import type { WriteRoute } from '../serve-write.ts'

/** `DELETE /v1/holds/{id}`: gives the units back before the deadline. */
export const holdRelease: WriteRoute<Static<typeof emptyBody>> = {
  method: 'DELETE',
  path: '/v1/holds/:id',
  resource: 'holds',
  access: 'publishable',
  parseBody: bodyParser(emptyBody),
  toCommand: ({ params, key, credential, clientSecret }) => {
    const access = readHoldProof(credential, clientSecret)
    if ('problem' in access) return access
    return { kind: 'release_hold', key, holdId: params[0] ?? '', proof: access.proof }
  },
  toResponse: (result, { credential, nowMs }) => {
    const { hold } = expected(result, 'hold_released')
    return { status: 200, json: JSON.stringify(wireHold(hold, nowMs, credential.kind)) }
  },
}
