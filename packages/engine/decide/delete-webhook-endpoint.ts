import { noWebhookEndpoint, webhookEndpointSaved } from '../webhook-endpoint.ts'
import type { DeleteWebhookEndpoint } from '@penstock/domain/command.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { WebhookEndpoint } from '@penstock/domain/webhook.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'

/** Ends an endpoint for ever. Its row stays, because its deliveries name it; its secrets go. */
export function deleteWebhookEndpoint(set: WorkingSet, { endpointId }: DeleteWebhookEndpoint, nowMs: number): Result {
  const endpoint = set.webhooks.endpoints.find(endpointId)
  if (endpoint === undefined) return noWebhookEndpoint(endpointId)
  if (endpoint.status === 'deleted') return webhookEndpointSaved(endpoint)

  // Point of no return.
  const deleted: WebhookEndpoint = {
    ...endpoint,
    status: 'deleted',
    disabledReason: null,
    replay: null,
    failingSinceMs: null,
    revision: endpoint.revision + 1,
  }
  set.webhooks.endpoints.update(endpointId, deleted)
  set.webhooks.secrets.update(endpointId, { endpointId, secrets: [] })
  set.events.append({ type: 'webhook_endpoint.deleted', objectId: endpointId, createdMs: nowMs })
  return webhookEndpointSaved(deleted)
}
