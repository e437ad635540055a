import { eventId } from '@penstock/domain/outbox-event.ts'
import { rejected } from '@penstock/domain/result.ts'
import { webhookDeliveryKey } from '@penstock/domain/webhook.ts'
import type { RetryWebhookDelivery } from '@penstock/domain/command.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { WebhookDelivery } from '@penstock/domain/webhook.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'

/** Has the courier try a delivery at once, also one that succeeded or was given up. */
export function retryWebhookDelivery(set: WorkingSet, command: RetryWebhookDelivery, nowMs: number): Result {
  const { endpointId, eventSeq } = command
  const key = webhookDeliveryKey(endpointId, eventSeq)
  const delivery = set.webhooks.deliveries.find(key)
  const endpoint = set.webhooks.endpoints.find(endpointId)
  if (delivery === undefined || endpoint === undefined) {
    return rejected('not_found', 'id', `There is no delivery of ${eventId(eventSeq)} to ${endpointId}.`)
  }
  if (endpoint.status !== 'enabled') {
    const advice = endpoint.status === 'deleted' ? 'nothing more is sent to it' : 'enable it first'
    return rejected('invalid_transition', 'id', `The endpoint ${endpointId} is ${endpoint.status}: ${advice}.`)
  }
  // Asked for twice, as after a writer restart: it is about to be tried.
  const { status, failures, nextAttemptMs } = delivery
  if (status === 'pending' && failures === 0 && nextAttemptMs !== null && nextAttemptMs <= nowMs) {
    return { outcome: 'webhook_delivery_saved', delivery, replayed: false }
  }

  // Point of no return.
  const retried: WebhookDelivery = { ...delivery, status: 'pending', failures: 0, nextAttemptMs: nowMs }
  set.webhooks.deliveries.update(key, retried)
  set.webhooks.endpoints.update(endpointId, { ...endpoint, revision: endpoint.revision + 1 })
  return { outcome: 'webhook_delivery_saved', delivery: retried, replayed: false }
}
