import { holdObject } from '@penstock/wire/objects.ts'
import { problem } from '../problem.ts'
import { toJson } from '../route.ts'
import { id } from '@penstock/wire/schema-fields.ts'
import { readRoute } from '../serve-read.ts'
import { wireHold } from '@penstock/wire/wire.ts'
import { readHoldProof, refuseHold } from './hold-access.ts'

/** `GET /v1/holds/{id}` */
export const holdFind = readRoute({
  path: '/v1/holds/:id',
  resource: 'holds',
  access: 'publishable',
  summary: 'Read a hold',
  params: { id: id('hold') },
  answer: holdObject,
  problems: ['not_found', 'invalid_client_secret'],
  usesClientSecret: true,
  read: ({ params, credential, clientSecret }, { queries, clock }) => {
    const access = readHoldProof(credential, clientSecret)
    if ('problem' in access) return access
    const holdId = params[0] ?? ''
    const hold = queries.findHold(holdId)
    if (hold === null) return { problem: problem('not_found', `There is no hold ${holdId}.`, 'id') }
    const refusal = refuseHold(hold, access.proof)
    if (refusal !== null) return { problem: refusal }
    return { json: toJson(wireHold(hold, clock(), credential.kind)) }
  },
})
