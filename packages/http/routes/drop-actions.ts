import { bodyParser } from '../json-body.ts'
import { problem } from '../problem.ts'
import { emptyBody, restockBody } from '../schema.ts'
import { dropResponse } from './drop-response.ts'
import type { DropAction } from '@penstock/domain/drop.ts'
import type { Static } from 'typebox'
import type { WriteRoute } from '../serve-write.ts'

function dropAction(action: DropAction): WriteRoute<Static<typeof emptyBody>> {
  return {
    method: 'POST',
    path: `/v1/drops/:id/${action}`,
    access: 'secret',
    parseBody: bodyParser(emptyBody),
    // A key even without the client's: sent again late, a resume must not undo somebody's pause in between.
    toCommand: ({ params, ownKey }) => ({ kind: 'change_drop_phase', key: ownKey(), dropId: params[0] ?? '', action }),
    toResponse: (result) => dropResponse(result, 200),
  }
}

/** `POST /v1/drops/{id}/publish`, and so on. */
export const dropActions = (['publish', 'pause', 'resume', 'end', 'cancel'] as const).map(dropAction)

/** `POST /v1/drops/{id}/restock`: adds units of one SKU, or takes unsold ones away. */
export const dropRestock: WriteRoute<Static<typeof restockBody>> = {
  method: 'POST',
  path: '/v1/drops/:id/restock',
  access: 'secret',
  parseBody: bodyParser(restockBody),
  toCommand: ({ body, params, ownKey }) => {
    const { sku: skuId, quantity } = body
    if (quantity === 0) return { problem: problem('invalid_request', 'quantity must not be 0.', 'quantity') }
    return { kind: 'restock_sku', key: ownKey(), dropId: params[0] ?? '', skuId, quantity }
  },
  toResponse: (result) => dropResponse(result, 200),
}
