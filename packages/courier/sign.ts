import { createHmac } from 'node:crypto'
import type { WebhookSecret } from '@penstock/domain/webhook.ts'

const secretPrefix = 'whsec_'

/**
 * The header `webhook-signature` of Standard Webhooks 1.0: one `v1` signature a secret, separated by spaces.
 * `timestamp`: Unix seconds, of this attempt.
 */
export function signWebhook(
  secrets: readonly Pick<WebhookSecret, 'secret'>[],
  id: string,
  timestamp: number,
  body: string,
): string {
  return secrets
    .map(({ secret }) => {
      const key = Buffer.from(secret.slice(secretPrefix.length), 'base64')
      return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`
    })
    .join(' ')
}
