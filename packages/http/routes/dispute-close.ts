import { expected } from '../expected.ts'
import { disputeObject } from '@penstock/wire/objects.ts'
import { jsonAnswer } from '../route.ts'
import { id } from '@penstock/wire/schema-fields.ts'
import { disputeCloseBody } from '../schema.ts'
import { writeRoute } from '../serve-write.ts'
import { wireDispute } from '@penstock/wire/wire.ts'

/** `POST /v1/disputes/{id}/close`: the bank has decided. */
export const disputeClose = writeRoute({
  method: 'POST',
  path: '/v1/disputes/:id/close',
  resource: 'disputes',
  access: 'secret',
  summary: 'Say what the bank has decided',
  params: { id: id('dispute') },
  body: disputeCloseBody,
  answers: { 200: disputeObject },
  problems: ['not_found', 'invalid_transition'],
  toCommand: ({ body, params, key }) => ({
    kind: 'close_dispute',
    key,
    disputeId: params[0] ?? '',
    status: body.status,
  }),
  toResponse: (result) => {
    const { dispute } = expected(result, 'dispute_saved')
    return jsonAnswer(200, wireDispute(dispute))
  },
})
