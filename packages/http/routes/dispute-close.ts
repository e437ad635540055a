import { bodyParser } from '../json-body.ts'
import { expected } from '../expected.ts'
import { disputeCloseBody } from '../schema.ts'
import { wireDispute } from '../wire.ts'
import type { Static } from 'typebox'
import type { WriteRoute } from '../serve-write.ts'

/** `POST /v1/disputes/{id}/close`: the bank has decided. */
export const disputeClose: WriteRoute<Static<typeof disputeCloseBody>> = {
  method: 'POST',
  path: '/v1/disputes/:id/close',
  access: 'secret',
  parseBody: bodyParser(disputeCloseBody),
  toCommand: ({ body, params, key }) => ({
    kind: 'close_dispute',
    key,
    disputeId: params[0] ?? '',
    status: body.status,
  }),
  toResponse: (result) => {
    const { dispute } = expected(result, 'dispute_saved')
    return { status: 200, json: JSON.stringify(wireDispute(dispute)) }
  },
}
