import { isDeepStrictEqual } from 'node:util'
import { findWebhookEndpoint, noWebhookEndpoint, webhookEndpointSaved } from '../webhook-endpoint.ts'
import type { UpdateWebhookEndpoint } from '@penstock/domain/command.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { WebhookEndpoint } from '@penstock/domain/webhook.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'

/** Changes an endpoint. Enabled again, it goes on where it stopped. */
export function updateWebhookEndpoint(set: WorkingSet, command: UpdateWebhookEndpoint, nowMs: number): Result {
  const endpoint = findWebhookEndpoint(set, command.endpointId)
  if (endpoint === undefined) return noWebhookEndpoint(command.endpointId)
  const { status, ...facts } = command.changes
  const changed: WebhookEndpoint = { ...endpoint, ...facts, ...switched(endpoint, status) }
  if (isDeepStrictEqual(changed, endpoint)) return webhookEndpointSaved(endpoint)

  // Point of no return.
  const saved = { ...changed, revision: endpoint.revision + 1 }
  set.webhooks.endpoints.update(saved.id, saved)
  set.events.append({ type: 'webhook_endpoint.updated', objectId: saved.id, createdMs: nowMs })
  return webhookEndpointSaved(saved)
}

function switched({ status }: WebhookEndpoint, wanted: 'enabled' | 'disabled' | undefined): Partial<WebhookEndpoint> {
  if (wanted === undefined || wanted === status) return {}
  if (wanted === 'enabled') return { status: 'enabled', disabledReason: null, failingSinceMs: null }
  return { status: 'disabled', disabledReason: 'seller' }
}
