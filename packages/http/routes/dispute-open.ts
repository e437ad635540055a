import { expected } from '../expected.ts'
import { disputeObject } from '@penstock/wire/objects.ts'
import { jsonAnswer } from '../route.ts'
import { disputeOpenBody } from '../schema.ts'
import { writeRoute } from '../serve-write.ts'
import { wireDispute } from '@penstock/wire/wire.ts'

/** `POST /v1/disputes`: a bank took money back. 201 when it is new, 200 when it was reported before. */
export const disputeOpen = writeRoute({
  method: 'POST',
  path: '/v1/disputes',
  resource: 'disputes',
  access: 'secret',
  summary: 'Report a dispute, for which a bank took money back: 201 when it is new, 200 when it was reported before',
  params: {},
  body: disputeOpenBody,
  answers: { 200: disputeObject, 201: disputeObject },
  problems: ['not_found', 'dispute_conflict', 'dispute_too_large'],
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
    return jsonAnswer(duplicate ? 200 : 201, wireDispute(dispute))
  },
})
