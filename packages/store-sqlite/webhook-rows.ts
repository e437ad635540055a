import { webhookDeliveryId } from '@penstock/domain/webhook.ts'
import type {
  WebhookAttempt,
  WebhookDelivery,
  WebhookEndpoint,
  WebhookEventFilter,
  WebhookSecret,
  WebhookSecrets,
} from '@penstock/domain/webhook.ts'
import type { NumberedDelivery } from '@penstock/store/scanner.ts'
import type { SqlValue } from './bulk-insert.ts'

/** Rows of webhooks to nouns and back; see `rows.ts`. */

export const endpointColumns =
  'id, url, events, description, status, disabled_reason, secret_id, created_ms, cursor_seq, replay_next_seq, replay_to_seq, failing_since_ms, revision'

export type EndpointRow = readonly [
  string,
  string,
  string,
  string | null,
  WebhookEndpoint['status'],
  WebhookEndpoint['disabledReason'],
  string,
  number,
  number,
  number | null,
  number | null,
  number | null,
  number,
]

export function toEndpoint(row: EndpointRow): WebhookEndpoint {
  const [nextSeq, toSeq] = [row[9], row[10]]
  return {
    id: row[0],
    url: row[1],
    events: row[2].split(' ') as WebhookEventFilter[],
    description: row[3],
    status: row[4],
    disabledReason: row[5],
    secretId: row[6],
    createdMs: row[7],
    cursorSeq: row[8],
    replay: nextSeq === null || toSeq === null ? null : { nextSeq, toSeq },
    failingSinceMs: row[11],
    revision: row[12],
  }
}

/** In the order of `endpointColumns`. */
export function endpointValues(endpoint: WebhookEndpoint): SqlValue[] {
  return [
    endpoint.id,
    endpoint.url,
    endpoint.events.join(' '),
    endpoint.description,
    endpoint.status,
    endpoint.disabledReason,
    endpoint.secretId,
    endpoint.createdMs,
    endpoint.cursorSeq,
    endpoint.replay?.nextSeq ?? null,
    endpoint.replay?.toSeq ?? null,
    endpoint.failingSinceMs,
    endpoint.revision,
  ]
}

export function toSecrets(endpointId: string, json: string): WebhookSecrets {
  const secrets = JSON.parse(json) as [string, string, number | null][]
  return { endpointId, secrets: secrets.map(([id, secret, expiresMs]): WebhookSecret => ({ id, secret, expiresMs })) }
}

export function encodeSecrets({ secrets }: WebhookSecrets): string {
  return JSON.stringify(secrets.map(({ id, secret, expiresMs }) => [id, secret, expiresMs]))
}

/** Without `seq`, which the database gives. */
export const deliveryColumns = 'endpoint_id, event_seq, status, failures, next_attempt_ms, attempts, created_ms'

export type DeliveryRow = readonly [string, number, WebhookDelivery['status'], number, number | null, string, number]

export function toDelivery(row: DeliveryRow): WebhookDelivery {
  const attempts = JSON.parse(row[5]) as [number, number, number | null, WebhookAttempt['fault']][]
  return {
    endpointId: row[0],
    eventSeq: row[1],
    status: row[2],
    failures: row[3],
    nextAttemptMs: row[4],
    attempts: attempts.map(([startedMs, durationMs, status, fault]) => ({ startedMs, durationMs, status, fault })),
    createdMs: row[6],
  }
}

/** In the order of `deliveryColumns`. */
export function deliveryValues(delivery: WebhookDelivery): SqlValue[] {
  const attempts = delivery.attempts.map(({ startedMs, durationMs, status, fault }) => [
    startedMs,
    durationMs,
    status,
    fault,
  ])
  return [
    delivery.endpointId,
    delivery.eventSeq,
    delivery.status,
    delivery.failures,
    delivery.nextAttemptMs,
    JSON.stringify(attempts),
    delivery.createdMs,
  ]
}

export const numberedDeliveryColumns = `d.seq, ${deliveryColumns}, (SELECT type FROM event WHERE seq = d.event_seq)`

export function toNumberedDelivery(row: readonly unknown[]): NumberedDelivery {
  const [seq] = row as readonly [number]
  return {
    id: webhookDeliveryId(seq),
    delivery: toDelivery(row.slice(1) as unknown as DeliveryRow),
    eventType: row.at(-1) as NumberedDelivery['eventType'],
  }
}
