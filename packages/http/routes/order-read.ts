import { wireCodes } from '../codes.ts'
import { orderWithCodesObject } from '@penstock/wire/objects.ts'
import { problem } from '../problem.ts'
import { toJson } from '../route.ts'
import { id } from '@penstock/wire/schema-fields.ts'
import { readRoute } from '../serve-read.ts'
import { wireOrder } from '@penstock/wire/wire.ts'
import { readHoldProof, refuseHold } from './hold-access.ts'

/** `GET /v1/orders/{id}`, with the codes of its units. A buyer shows the client secret of the hold that was paid. */
export const orderFind = readRoute({
  path: '/v1/orders/:id',
  resource: 'orders',
  access: 'publishable',
  summary: 'Read an order, with the codes of its units',
  params: { id: id('order') },
  answer: orderWithCodesObject,
  problems: ['not_found', 'invalid_client_secret'],
  usesClientSecret: true,
  read: ({ params, credential, clientSecret }, { queries }) => {
    const access = readHoldProof(credential, clientSecret)
    if ('problem' in access) return access
    const orderId = params[0] ?? ''
    const order = queries.findOrder(orderId)
    if (order === null) return { problem: problem('not_found', `There is no order ${orderId}.`, 'id') }
    const refusal = refuseHold(order.hold, access.proof)
    if (refusal !== null) return { problem: refusal }
    const codes = wireCodes(order, queries.listCodeUses(orderId))
    return { json: toJson({ ...wireOrder(order, credential.kind), codes }) }
  },
})
