import { webhookDeliveryId, webhookDeliveryObject } from '@penstock/wire/objects.ts'
import { wireWebhookDelivery } from '@penstock/wire/wire.ts'
import { expected } from '../expected.ts'
import { problem } from '../problem.ts'
import { jsonAnswer, toJson } from '../route.ts'
import { emptyBody } from '../schema.ts'
import { readRoute } from '../serve-read.ts'
import { writeRoute } from '../serve-write.ts'
import type { NumberedDelivery } from '@penstock/store/scanner.ts'
import type { Problem } from '../problem.ts'

function noDelivery(id: string): Problem {
  return problem('not_found', `There is no webhook delivery ${id}.`, 'id')
}

/** `GET /v1/webhook_deliveries/{id}` */
export const webhookDeliveryFind = readRoute({
  path: '/v1/webhook_deliveries/:id',
  resource: 'webhooks',
  access: 'secret',
  summary: 'Read a webhook delivery, with its attempts',
  params: { id: webhookDeliveryId },
  answer: webhookDeliveryObject,
  problems: ['not_found'],
  read: ({ params: [id = ''] }, { queries }) => {
    const found = queries.findWebhookDelivery(id)
    return found === null ? { problem: noDelivery(id) } : { json: toJson(wireWebhookDelivery(found)) }
  },
})

/** What a delivery is about never changes, so it may be read before the writer looks. */
const known = new WeakMap<object, NumberedDelivery>()

/** `POST /v1/webhook_deliveries/{id}/retry`: tried at once, also when it succeeded or was given up. */
export const webhookDeliveryRetry = writeRoute({
  method: 'POST',
  path: '/v1/webhook_deliveries/:id/retry',
  resource: 'webhooks',
  access: 'secret',
  summary: 'Try a webhook delivery again, at once',
  params: { id: webhookDeliveryId },
  body: emptyBody,
  answers: { 200: webhookDeliveryObject },
  problems: ['not_found', 'invalid_transition'],
  toCommand: (request, { queries }) => {
    const {
      params: [id = ''],
      key,
    } = request
    const found = queries.findWebhookDelivery(id)
    if (found === null) return { problem: noDelivery(id) }
    known.set(request, found)
    const { endpointId, eventSeq } = found.delivery
    return { kind: 'retry_webhook_delivery', key, endpointId, eventSeq }
  },
  toResponse: (result, request) => {
    const { delivery } = expected(result, 'webhook_delivery_saved')
    const found = known.get(request)
    if (found === undefined) throw new Error('the delivery of this request is not known')
    return jsonAnswer(200, wireWebhookDelivery({ ...found, delivery }))
  },
})
