import { endpointSecretsMax } from '@penstock/domain/limits.ts'
import { activeSecrets } from '@penstock/domain/webhook.ts'
import { found } from '../found.ts'
import { findWebhookEndpoint, noWebhookEndpoint, webhookEndpointSaved } from '../webhook-endpoint.ts'
import type { RotateWebhookSecret } from '@penstock/domain/command.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { WebhookEndpoint, WebhookSecret } from '@penstock/domain/webhook.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'

/**
 * Gives an endpoint a new secret. The others end `overlapMs` from now, or at their own end when that comes first. A known
 * secret is this very command, sent again.
 */
export function rotateWebhookSecret(set: WorkingSet, command: RotateWebhookSecret, nowMs: number): Result {
  const endpoint = findWebhookEndpoint(set, command.endpointId)
  if (endpoint === undefined) return noWebhookEndpoint(command.endpointId)
  const stored = found(set.webhooks.secrets, endpoint.id)
  if (stored.secrets.some(({ id }) => id === command.secretId)) return webhookEndpointSaved(endpoint)

  // Point of no return.
  const endMs = nowMs + command.overlapMs
  const ending = stored.secrets.map((secret): WebhookSecret => ({
    ...secret,
    expiresMs: Math.min(endMs, secret.expiresMs ?? endMs),
  }))
  const newest: WebhookSecret = { id: command.secretId, secret: command.secret, expiresMs: null }
  const secrets = [newest, ...activeSecrets({ secrets: ending }, nowMs)].slice(0, endpointSecretsMax)
  set.webhooks.secrets.update(endpoint.id, { endpointId: endpoint.id, secrets })
  const rotated: WebhookEndpoint = { ...endpoint, secretId: newest.id, revision: endpoint.revision + 1 }
  set.webhooks.endpoints.update(rotated.id, rotated)
  set.events.append({ type: 'webhook_endpoint.updated', objectId: rotated.id, createdMs: nowMs })
  return webhookEndpointSaved(rotated)
}
