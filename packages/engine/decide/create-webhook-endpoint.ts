import { webhookEndpointsMax } from '@penstock/domain/limits.ts'
import { rejected } from '@penstock/domain/result.ts'
import { webhookEndpointSaved } from '../webhook-endpoint.ts'
import type { CreateWebhookEndpoint } from '@penstock/domain/command.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { WebhookEndpoint } from '@penstock/domain/webhook.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'

/** Makes an endpoint. It is sent what comes after this command, its own creation included. A known id is this command, sent again. */
export function createWebhookEndpoint(set: WorkingSet, command: CreateWebhookEndpoint, nowMs: number): Result {
  const { webhooks } = set
  const existing = webhooks.endpoints.find(command.endpointId)
  if (existing !== undefined) return webhookEndpointSaved(existing)
  if (webhooks.listEndpoints().length >= webhookEndpointsMax) {
    return rejected(
      'too_many_endpoints',
      null,
      `There may be ${webhookEndpointsMax} webhook endpoints: delete one first.`,
    )
  }

  // Point of no return.
  const endpoint: WebhookEndpoint = {
    id: command.endpointId,
    url: command.url,
    events: command.events,
    description: command.description,
    status: 'enabled',
    disabledReason: null,
    secretId: command.secretId,
    createdMs: nowMs,
    cursorSeq: set.lastEventSeq(),
    replay: null,
    failingSinceMs: null,
    revision: 0,
  }
  webhooks.endpoints.insert(endpoint.id, endpoint)
  const secret = { id: command.secretId, secret: command.secret, expiresMs: null }
  webhooks.secrets.insert(endpoint.id, { endpointId: endpoint.id, secrets: [secret] })
  set.events.append({ type: 'webhook_endpoint.created', objectId: endpoint.id, createdMs: nowMs })
  return webhookEndpointSaved(endpoint)
}
