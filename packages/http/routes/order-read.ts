import { wireCodes } from '../codes.ts'
import { problem } from '../problem.ts'
import { wireOrder } from '../wire.ts'
import type { ReadRoute } from '../serve-read.ts'

/** `GET /v1/orders/{id}`, with the codes of its units. */
export const orderFind: ReadRoute = {
  path: '/v1/orders/:id',
  resource: 'orders',
  access: 'secret',
  read: ({ params }, { queries }) => {
    const id = params[0] ?? ''
    const order = queries.findOrder(id)
    if (order === null) return { problem: problem('not_found', `There is no order ${id}.`, 'id') }
    const codes = wireCodes(order, queries.listCodeUses(id))
    return { json: JSON.stringify({ ...wireOrder(order), codes }) }
  },
}
