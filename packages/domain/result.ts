import type { Checkout } from './checkout.ts'
import type { Dispute } from './dispute.ts'
import type { ApiKey } from './api-key.ts'
import type { Drop, Sku } from './drop.ts'
import type { Hold } from './hold.ts'
import type { OrderFacts } from './order.ts'
import type { Payment } from './payment.ts'
import type { Refund } from './refund.ts'
import type { WebhookDelivery, WebhookEndpoint } from './webhook.ts'

/** What became of a command: an effect, or a refusal that changed nothing and stored nothing. */
export type Result = Accepted | Rejected

export type Accepted =
  | DropSaved
  | HoldCreated
  | HoldReleased
  | HoldsExpired
  | PaymentRecorded
  | PaymentAttached
  | RefundSaved
  | DisputeSaved
  | FactTaken
  | CheckoutSaved
  | CheckoutClosed
  | OrderSaved
  | CodeActivated
  | CustomerErased
  | ApiKeySaved
  | KeysTouched
  | WebhookEndpointSaved
  | WebhookDeliverySaved
  | WebhookOutcomesSaved

interface AcceptedBase {
  /** True when this answers a request key seen before: nothing happened now. */
  readonly replayed: boolean
}

export interface DropSaved extends AcceptedBase {
  readonly outcome: 'drop_saved'
  readonly drop: Drop
  readonly skus: readonly Sku[]
  /** The writer's clock, from which the status is derived. */
  readonly nowMs: number
}

export interface HoldCreated extends AcceptedBase {
  readonly outcome: 'hold_created'
  readonly hold: Hold
}

export interface HoldReleased extends AcceptedBase {
  readonly outcome: 'hold_released'
  readonly hold: Hold
}

export interface HoldsExpired extends AcceptedBase {
  readonly outcome: 'holds_expired'
  readonly count: number
}

export interface PaymentRecorded extends AcceptedBase {
  readonly outcome: 'payment_recorded'
  readonly payment: Payment
  /** True when this payment was reported before with the same facts: a success, with the same order. */
  readonly duplicate: boolean
}

export interface PaymentAttached extends AcceptedBase {
  readonly outcome: 'payment_attached'
  readonly payment: Payment
}

export interface RefundSaved extends AcceptedBase {
  readonly outcome: 'refund_saved'
  readonly refund: Refund
}

export interface DisputeSaved extends AcceptedBase {
  readonly outcome: 'dispute_saved'
  readonly dispute: Dispute
  /** True when this dispute was reported before with the same facts. */
  readonly duplicate: boolean
}

export interface FactTaken extends AcceptedBase {
  readonly outcome: 'fact_taken'
  /** applied: our rows say so, now or before. waiting: for its payment, or for room in it. */
  readonly effect: 'applied' | 'waiting'
}

export interface CheckoutSaved extends AcceptedBase {
  readonly outcome: 'checkout_saved'
  readonly checkout: Checkout
}

export interface CheckoutClosed extends AcceptedBase {
  readonly outcome: 'checkout_closed'
  /** False: there is none, or it is of another payment. */
  readonly isClosed: boolean
}

export interface OrderSaved extends AcceptedBase, OrderFacts {
  readonly outcome: 'order_saved'
}

export interface CodeActivated extends AcceptedBase {
  readonly outcome: 'code_activated'
  readonly orderId: string
  readonly skuId: string
  readonly usedMs: number
}

export interface CustomerErased extends AcceptedBase {
  readonly outcome: 'customer_erased'
  readonly hold: Hold
}

export interface ApiKeySaved extends AcceptedBase {
  readonly outcome: 'api_key_saved'
  readonly apiKey: ApiKey
}

export interface KeysTouched extends AcceptedBase {
  readonly outcome: 'keys_touched'
  readonly count: number
}

export interface WebhookEndpointSaved extends AcceptedBase {
  readonly outcome: 'webhook_endpoint_saved'
  readonly endpoint: WebhookEndpoint
}

export interface WebhookDeliverySaved extends AcceptedBase {
  readonly outcome: 'webhook_delivery_saved'
  readonly delivery: WebhookDelivery
}

export interface WebhookOutcomesSaved extends AcceptedBase {
  readonly outcome: 'webhook_outcomes_saved'
  readonly count: number
}

/** Why a command was refused. */
export type RejectionCode =
  | 'key_reused'
  | 'not_found'
  | 'invalid_client_secret'
  | 'invalid_request'
  | 'invalid_transition'
  | 'not_live'
  | 'sold_out'
  | 'limit_reached'
  | 'hold_not_active'
  | 'payment_conflict'
  | 'refund_too_large'
  | 'dispute_conflict'
  | 'dispute_too_large'
  | 'code_used'
  | 'code_void'
  | 'last_secret_key'
  | 'too_many_endpoints'
  | 'overloaded'
  | 'internal_error'

export interface Rejected {
  readonly outcome: RejectionCode
  /** The request field at fault, as the client names it (`lines[0].sku`), or null. */
  readonly param: string | null
  /** One sentence for people, with the values that mattered. No secrets. */
  readonly detail: string
}

/** Whether the very same request may succeed later. Exhaustive, so that a new code must decide. */
export const retryable: Record<RejectionCode, boolean> = {
  key_reused: false,
  not_found: false,
  invalid_client_secret: false,
  invalid_request: false,
  invalid_transition: false,
  not_live: true,
  sold_out: true,
  limit_reached: false,
  hold_not_active: false,
  payment_conflict: false,
  refund_too_large: false,
  dispute_conflict: false,
  dispute_too_large: false,
  code_used: false,
  code_void: false,
  last_secret_key: false,
  too_many_endpoints: false,
  overloaded: true,
  internal_error: true,
}

export function isRejected(result: Result): result is Rejected {
  return Object.hasOwn(retryable, result.outcome)
}

export function rejected(outcome: RejectionCode, param: string | null, detail: string): Rejected {
  return { outcome, param, detail }
}
