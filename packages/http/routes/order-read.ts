import { wireCodes } from '../codes.ts'
import { problem } from '../problem.ts'
import { wireOrder } from '../wire.ts'
import { readHoldProof, refuseHold } from './hold-access.ts'
import type { ReadRoute } from '../serve-read.ts'

/** `GET /v1/orders/{id}`, with the codes of its units. A buyer shows the client secret of the hold that was paid. */
export const orderFind: ReadRoute = {
  path: '/v1/orders/:id',
  resource: 'orders',
  access: 'publishable',
  usesClientSecret: true,
  read: ({ params, credential, clientSecret }, { queries }) => {
    const access = readHoldProof(credential, clientSecret)
    if ('problem' in access) return access
    const id = params[0] ?? ''
    const order = queries.findOrder(id)
    if (order === null) return { problem: problem('not_found', `There is no order ${id}.`, 'id') }
    const refusal = refuseHold(order.hold, access.proof)
    if (refusal !== null) return { problem: refusal }
    const codes = wireCodes(order, queries.listCodeUses(id))
    return { json: JSON.stringify({ ...wireOrder(order, credential.kind), codes }) }
  },
}
