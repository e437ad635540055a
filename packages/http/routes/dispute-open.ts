import { bodyParser } from '../json-body.ts'
import { expected } from '../expected.ts'
import { disputeOpenBody } from '../schema.ts'
import { wireDispute } from '../wire.ts'
import type { Static } from 'typebox'
import type { WriteRoute } from '../serve-write.ts'

/** `POST /v1/disputes`: a bank took money back. 201 when it is new, 200 when it was reported before. */
export const disputeOpen: WriteRoute<Static<typeof disputeOpenBody>> = {
  method: 'POST',
  path: '/v1/disputes',
  access: 'secret',
  parseBody: bodyParser(disputeOpenBody),
  toCommand: ({ body, key, mint }) => ({
    kind: 'open_dispute',
    key,
    disputeId: mint.id('dispute'),
    paymentId: body.payment,
    providerDisputeId: body.provider_dispute_id,
    amountMinor: body.amount ?? null,
    reason: body.reason ?? null,
  }),
  toResponse: (result) => {
    const { dispute, duplicate } = expected(result, 'dispute_saved')
    return { status: duplicate ? 200 : 201, json: JSON.stringify(wireDispute(dispute)) }
  },
}
