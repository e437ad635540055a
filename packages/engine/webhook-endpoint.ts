import { rejected } from '@penstock/domain/result.ts'
import type { Rejected, WebhookEndpointSaved } from '@penstock/domain/result.ts'
import type { WebhookEndpoint } from '@penstock/domain/webhook.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'

/** The answer of every command about one endpoint: the endpoint as it is now. Never its secrets. */
export function webhookEndpointSaved(endpoint: WebhookEndpoint): WebhookEndpointSaved {
  return { outcome: 'webhook_endpoint_saved', endpoint, replayed: false }
}

/** An endpoint that was not deleted. */
export function findWebhookEndpoint(set: WorkingSet, id: string): WebhookEndpoint | undefined {
  const endpoint = set.webhooks.endpoints.find(id)
  return endpoint?.status === 'deleted' ? undefined : endpoint
}

export function noWebhookEndpoint(id: string): Rejected {
  return rejected('not_found', 'id', `There is no webhook endpoint ${id}.`)
}
