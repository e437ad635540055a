import { numberedId, numberedIdPattern, numberedIdSeq } from './id.ts'

/**
 * What happened, for whoever listens: webhooks, live pages, the audit. Decided and committed together with its effect,
 * append-only, numbered in the order of the commits (promise: an event exists exactly when its effect does).
 *
 * It names the object and not its content, which readers take from the object itself. A new hold is not an event: a
 * flood makes thousands a second, most of which are paid or gone within minutes.
 */
export interface OutboxEvent {
  readonly type: OutboxEventType
  /** The id of the drop, hold, payment, refund, dispute, order, API key or webhook endpoint. */
  readonly objectId: string
  readonly createdMs: number
}

export const outboxEventTypes = [
  'drop.created',
  'drop.updated',
  'hold.released',
  'hold.expired',
  'payment.captured',
  'payment.refund_due',
  'payment.unmatched',
  'refund.created',
  'refund.succeeded',
  'refund.failed',
  'dispute.created',
  'dispute.won',
  'dispute.lost',
  'order.cancelled',
  'order.fulfilled',
  'api_key.created',
  'api_key.rolled',
  'api_key.revoked',
  'webhook_endpoint.created',
  'webhook_endpoint.updated',
  'webhook_endpoint.disabled',
  'webhook_endpoint.deleted',
] as const

export type OutboxEventType = (typeof outboxEventTypes)[number]

export const eventIdPattern = numberedIdPattern('evt')

/** The public id of the `seq`-th event. */
export function eventId(seq: number): string {
  return numberedId('evt', seq)
}

/** The number in an id of `eventId`; null for any other text. */
export function eventSeq(id: string): number | null {
  return numberedIdSeq('evt', id)
}
