import { bodyParser } from '../json-body.ts'
import { emptyBody, restockBody } from '../schema.ts'
import { dropResponse } from './drop-response.ts'
import type { DropAction } from '@penstock/domain/drop.ts'
import type { Static } from 'typebox'
import type { WriteRoute } from '../api.ts'

function dropAction(action: DropAction): WriteRoute<Static<typeof emptyBody>> {
  return {
    method: 'POST',
    path: `/v1/drops/:id/${action}`,
    access: 'secret',
    parseBody: bodyParser(emptyBody),
    toCommand: ({ params, key }) => ({ kind: 'change_drop_phase', key, dropId: params[0] ?? '', action }),
    toResponse: (result) => dropResponse(result, 200),
  }
}

/** `POST /v1/drops/{id}/publish`, and so on. */
export const dropActions = (['publish', 'pause', 'resume', 'end'] as const).map(dropAction)

/** `POST /v1/drops/{id}/restock`: adds units of one SKU, or takes unsold ones away. */
export const dropRestock: WriteRoute<Static<typeof restockBody>> = {
  method: 'POST',
  path: '/v1/drops/:id/restock',
  access: 'secret',
  parseBody: bodyParser(restockBody),
  toCommand: ({ body, params, ownKey }) => ({
    kind: 'restock_sku',
    key: ownKey(),
    dropId: params[0] ?? '',
    skuId: body.sku,
    quantity: body.quantity,
  }),
  toResponse: (result) => dropResponse(result, 200),
}
