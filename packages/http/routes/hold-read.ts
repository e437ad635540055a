import { problem } from '../problem.ts'
import { wireHold } from '../wire.ts'
import { readHoldProof, refuseHold } from './hold-access.ts'
import type { ReadRoute } from '../serve-read.ts'

/** `GET /v1/holds/{id}` */
export const holdFind: ReadRoute = {
  path: '/v1/holds/:id',
  resource: 'holds',
  access: 'publishable',
  usesClientSecret: true,
  read: ({ params, credential, clientSecret }, { queries, clock }) => {
    const access = readHoldProof(credential, clientSecret)
    if ('problem' in access) return access
    const id = params[0] ?? ''
    const hold = queries.findHold(id)
    if (hold === null) return { problem: problem('not_found', `There is no hold ${id}.`, 'id') }
    const refusal = refuseHold(hold, access.proof)
    if (refusal !== null) return { problem: refusal }
    return { json: JSON.stringify(wireHold(hold, clock(), credential.kind)) }
  },
}
