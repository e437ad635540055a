import { dropObject } from '@penstock/wire/objects.ts'
import { id } from '@penstock/wire/schema-fields.ts'
import { emptyBody, restockBody } from '../schema.ts'
import { writeRoute } from '../serve-write.ts'
import { dropResponse } from './drop-response.ts'
import type { DropAction } from '@penstock/domain/drop.ts'

const summaries: Record<DropAction, string> = {
  publish: 'Publish a draft: it is scheduled, or live when its time has come',
  pause: 'Stop new holds for a while',
  resume: 'Allow holds again',
  end: 'End the sale for good',
  cancel: 'Cancel the drop for good: no new holds, while active ones may still be paid',
}

function dropAction(action: DropAction) {
  return writeRoute({
    method: 'POST',
    path: `/v1/drops/:id/${action}`,
    resource: 'drops',
    access: 'secret',
    summary: summaries[action],
    params: { id: id('drop') },
    body: emptyBody,
    answers: { 200: dropObject },
    problems: ['not_found', 'invalid_transition'],
    // A key even without the client's: sent again late, a resume must not undo somebody's pause in between.
    toCommand: ({ params, ownKey }) => ({ kind: 'change_drop_phase', key: ownKey(), dropId: params[0] ?? '', action }),
    toResponse: (result) => dropResponse(result, 200),
  })
}

/** `POST /v1/drops/{id}/publish`, and so on. */
export const dropActions = (['publish', 'pause', 'resume', 'end', 'cancel'] as const).map(dropAction)

/** `POST /v1/drops/{id}/restock`: adds units of one SKU, or takes unsold ones away. */
export const dropRestock = writeRoute({
  method: 'POST',
  path: '/v1/drops/:id/restock',
  resource: 'drops',
  access: 'secret',
  summary: 'Add units of one SKU, or take unsold ones away',
  params: { id: id('drop') },
  body: restockBody,
  answers: { 200: dropObject },
  problems: ['not_found', 'invalid_transition'],
  toCommand: ({ body: { sku: skuId, quantity }, params, ownKey }) => ({
    kind: 'restock_sku',
    key: ownKey(),
    dropId: params[0] ?? '',
    skuId,
    quantity,
  }),
  toResponse: (result) => dropResponse(result, 200),
})
