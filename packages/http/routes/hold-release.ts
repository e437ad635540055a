import { expected } from '../expected.ts'
import { holdObject } from '@penstock/wire/objects.ts'
import { jsonAnswer } from '../route.ts'
import { id } from '@penstock/wire/schema-fields.ts'
import { emptyBody } from '../schema.ts'
import { writeRoute } from '../serve-write.ts'
import { wireHold } from '@penstock/wire/wire.ts'
import { readHoldProof } from './hold-access.ts'

/** `DELETE /v1/holds/{id}`: gives the units back before the deadline. */
export const holdRelease = writeRoute({
  method: 'DELETE',
  path: '/v1/holds/:id',
  resource: 'holds',
  access: 'publishable',
  summary: 'Give the units of a hold back before its deadline',
  params: { id: id('hold') },
  body: emptyBody,
  answers: { 200: holdObject },
  problems: ['not_found', 'invalid_client_secret', 'hold_not_active'],
  toCommand: ({ params, key, credential, clientSecret }) => {
    const access = readHoldProof(credential, clientSecret)
    if ('problem' in access) return access
    return { kind: 'release_hold', key, holdId: params[0] ?? '', proof: access.proof }
  },
  toResponse: (result, { credential, nowMs }) => {
    const { hold } = expected(result, 'hold_released')
    return jsonAnswer(200, wireHold(hold, nowMs, credential.kind))
  },
})
