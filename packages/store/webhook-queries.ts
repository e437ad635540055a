import type { WebhookDelivery, WebhookEndpoint, WebhookSecret } from '@penstock/domain/webhook.ts'
import type { NumberedEvent } from './scanner.ts'

/**
 * What the courier reads beside the objects themselves, on its own connection. Apart from `Queries`, so that HTTP
 * processes have no way to the secrets. Every call is one short statement.
 */
export interface WebhookQueries {
  /** All that are not deleted, with their secrets, oldest first. There are few. */
  listEndpoints(): readonly EndpointWithSecrets[]
  /** Behind `afterSeq`, in order, at most `limit`. */
  listEvents(afterSeq: number, limit: number): readonly NumberedEvent[]
  /** Events by their numbers, in order; those that do not exist are left out. */
  findEvents(seqs: readonly number[]): readonly NumberedEvent[]
  /** In order of the events, at most `limit`. */
  listPending(endpointId: string, limit: number): readonly WebhookDelivery[]
  /** Numbers of the events from `fromSeq` to `toSeq` that have a delivery to this endpoint. */
  listKnown(endpointId: string, fromSeq: number, toSeq: number): readonly number[]
  close(): void
}

export interface EndpointWithSecrets {
  readonly endpoint: WebhookEndpoint
  readonly secrets: readonly WebhookSecret[]
}
