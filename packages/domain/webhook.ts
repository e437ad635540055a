import { numberedId, numberedIdPattern, numberedIdSeq } from './id.ts'
import type { OutboxEventType } from './outbox-event.ts'

/** `deleted` is for ever, and is shown to nobody. A disabled endpoint keeps its place: nothing it missed is lost. */
export const webhookEndpointStatuses = ['enabled', 'disabled', 'deleted'] as const
export type WebhookEndpointStatus = (typeof webhookEndpointStatuses)[number]

/** The seller did it; the receiver answered 410; the receiver took nothing for the whole of a delivery's retries. */
export const webhookDisabledReasons = ['seller', 'gone', 'failing'] as const
export type WebhookDisabledReason = (typeof webhookDisabledReasons)[number]

/** `*` is every event, also of types that later releases add. */
export type WebhookEventFilter = '*' | OutboxEventType

/** Where events are sent to. */
export interface WebhookEndpoint {
  readonly id: string
  readonly url: string
  readonly events: readonly WebhookEventFilter[]
  readonly description: string | null
  readonly status: WebhookEndpointStatus
  /** Null unless disabled. */
  readonly disabledReason: WebhookDisabledReason | null
  /** Of the newest of its secrets, which are kept apart (`WebhookSecrets`) and never part of a result. */
  readonly secretId: string
  readonly createdMs: number
  /** Every event up to this one was delivered, is not wanted, or has a delivery. */
  readonly cursorSeq: number
  /** What is to be sent once more. */
  readonly replay: WebhookReplay | null
  /** When the first attempt failed after the last that did not. */
  readonly failingSinceMs: number | null
  /** Counts what sellers did to it and to its deliveries, so that the courier notices. */
  readonly revision: number
}

/** Events from `nextSeq` to `toSeq`, both included. */
export interface WebhookReplay {
  readonly nextSeq: number
  readonly toSeq: number
}

/** What an endpoint's requests are signed with, in clear text: signing needs it. Newest first, at least one. */
export interface WebhookSecrets {
  readonly endpointId: string
  readonly secrets: readonly WebhookSecret[]
}

export interface WebhookSecret {
  readonly id: string
  /** `whsec_` and base64. */
  readonly secret: string
  /** From this moment on it signs no more; null: until it is rotated. */
  readonly expiresMs: number | null
}

export const webhookDeliveryStatuses = ['pending', 'succeeded', 'failed'] as const
export type WebhookDeliveryStatus = (typeof webhookDeliveryStatuses)[number]

/** One event on its way to one endpoint. It exists from its first outcome on; before that the event itself is the queue. */
export interface WebhookDelivery {
  readonly endpointId: string
  readonly eventSeq: number
  readonly status: WebhookDeliveryStatus
  /** Attempts of its schedule that failed. Starts again when the seller asks for a retry. */
  readonly failures: number
  /** Null: not pending, or waiting for an earlier event of the same order. */
  readonly nextAttemptMs: number | null
  /** Oldest first, the last `webhookAttemptsKept`. */
  readonly attempts: readonly WebhookAttempt[]
  readonly createdMs: number
}

/** Why an attempt did not succeed. */
export const webhookFaults = ['status', 'redirect', 'timeout', 'connection', 'address_refused'] as const
export type WebhookFault = (typeof webhookFaults)[number]

export interface WebhookAttempt {
  readonly startedMs: number
  readonly durationMs: number
  /** Of HTTP; null when no answer came. */
  readonly status: number | null
  /** Null: it succeeded. */
  readonly fault: WebhookFault | null
}

/** What became of one event at one endpoint, as the courier reports it. */
export interface WebhookOutcome {
  readonly eventSeq: number
  readonly status: WebhookDeliveryStatus
  readonly failures: number
  readonly nextAttemptMs: number | null
  /** Null: nothing was tried, it waits for an earlier event of the same order. */
  readonly attempt: WebhookAttempt | null
}

export function webhookDeliveryKey(endpointId: string, eventSeq: number): string {
  return `${endpointId}/${eventSeq}`
}

/** The header `webhook-id`: the same however often this event is sent to this endpoint. It has no dot. */
export function webhookId(endpointId: string, eventSeq: number): string {
  return `evt_${eventSeq}_${endpointId}`
}

export const webhookDeliveryIdPattern = numberedIdPattern('whd')

/** The public id of the `seq`-th delivery. */
export function webhookDeliveryId(seq: number): string {
  return numberedId('whd', seq)
}

/** The number in an id of `webhookDeliveryId`; null for any other text. */
export function webhookDeliverySeq(id: string): number | null {
  return numberedIdSeq('whd', id)
}

export function wantsEvent({ events }: Pick<WebhookEndpoint, 'events'>, type: OutboxEventType): boolean {
  return events.includes('*') || events.includes(type)
}

/** Those that sign at `nowMs`, newest first. */
export function activeSecrets({ secrets }: Pick<WebhookSecrets, 'secrets'>, nowMs: number): readonly WebhookSecret[] {
  return secrets.filter(({ expiresMs }) => expiresMs === null || expiresMs > nowMs)
}

/**
 * Waits before the second attempt, the third and so on, in ms: 75 hours in all, the example of Standard Webhooks 1.0.
 * Then the delivery has failed.
 */
export const standardRetryDelaysMs: readonly number[] = [
  5_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 50_400_000, 72_000_000, 86_400_000,
]
