import { availableUnits, dropStatus } from '@penstock/domain/drop.ts'
import { isErased } from '@penstock/domain/customer.ts'
import { holdStatusAt } from '@penstock/domain/hold.ts'
import { orderStatus, refundedByLine } from '@penstock/domain/order.ts'
import { eventId } from '@penstock/domain/outbox-event.ts'
import { paymentStatus } from '@penstock/domain/payment.ts'
import { webhookId } from '@penstock/domain/webhook.ts'
import type { Static } from 'typebox'
import type { Customer, ErasedCustomer } from '@penstock/domain/customer.ts'
import type { Checkout } from '@penstock/domain/checkout.ts'
import type { Dispute } from '@penstock/domain/dispute.ts'
import type { Fee, FeeRule } from '@penstock/domain/fee.ts'
import type { ApiKey } from '@penstock/domain/api-key.ts'
import type { Drop, Sku } from '@penstock/domain/drop.ts'
import type { Hold } from '@penstock/domain/hold.ts'
import type { OrderFacts } from '@penstock/domain/order.ts'
import type { Payment } from '@penstock/domain/payment.ts'
import type { Refund } from '@penstock/domain/refund.ts'
import type { WebhookEndpoint } from '@penstock/domain/webhook.ts'
import type { Balance, Credential } from '@penstock/store/queries.ts'
import type {
  apiKeyObject,
  apiKeyWithSecretObject,
  checkoutObject,
  customerObject,
  disputeObject,
  dropObject,
  eventObject,
  feeObject,
  feeRuleObject,
  holdObject,
  ledgerBalanceObject,
  ledgerEntryObject,
  orderObject,
  orderWithCodesObject,
  paymentObject,
  refundObject,
  skuObject,
  webhookDeliveryObject,
  webhookEndpointObject,
  webhookEndpointWithSecretObject,
} from './objects.ts'
import type { NumberedDelivery, NumberedEntry, NumberedEvent } from '@penstock/store/scanner.ts'

/** Nouns of the domain as the objects of the API (`objects.ts`). Times become Unix seconds. */

export type WireSku = Static<typeof skuObject>
export type WireDrop = Static<typeof dropObject>
export type WireHold = Static<typeof holdObject>
export type WirePayment = Static<typeof paymentObject>
export type WireOrder = Static<typeof orderObject>
export type WireOrderWithCodes = Static<typeof orderWithCodesObject>
export type WireRefund = Static<typeof refundObject>
export type WireDispute = Static<typeof disputeObject>
export type WireApiKey = Static<typeof apiKeyObject>
export type WireApiKeyWithSecret = Static<typeof apiKeyWithSecretObject>
export type WireEvent = Static<typeof eventObject>
export type WireLedgerEntry = Static<typeof ledgerEntryObject>
export type WireWebhookEndpoint = Static<typeof webhookEndpointObject>
export type WireWebhookEndpointWithSecret = Static<typeof webhookEndpointWithSecretObject>
export type WireWebhookDelivery = Static<typeof webhookDeliveryObject>
export type WireCheckout = Static<typeof checkoutObject>
export type WireBalance = Static<typeof ledgerBalanceObject>

export interface WireList<Item> {
  object: 'list'
  data: Item[]
  has_more: boolean
}

export function wireList<Item>(data: Item[], hasMore: boolean): WireList<Item> {
  return { object: 'list', data, has_more: hasMore }
}

/** A seller sees all of a customer, a browser what it needs to go on. */
export type Audience = Credential['kind']

export function toSeconds(ms: number): number {
  return Math.floor(ms / 1_000)
}

export function wireSku(sku: Sku): WireSku {
  const { id, name, unitAmountMinor, maxPerOrder, stock, held, sold } = sku
  return {
    id,
    object: 'sku',
    name,
    unit_amount: unitAmountMinor,
    max_per_order: maxPerOrder,
    stock,
    held,
    sold,
    available: availableUnits(sku),
  }
}

/** What of a drop changes only when the seller changes it. */
export function wireDropFacts(drop: Drop): Omit<WireDrop, 'id' | 'object' | 'status' | 'skus' | 'server_time'> {
  return {
    name: drop.name,
    description: drop.description,
    image: drop.image,
    currency: drop.currency,
    starts_at: toSeconds(drop.startsAtMs),
    ends_at: drop.endsAtMs === null ? null : toSeconds(drop.endsAtMs),
    hold_ttl: toSeconds(drop.holdTtlMs),
    max_per_customer: drop.maxPerCustomer,
    late_payment: drop.latePayment,
    fees: drop.fees.map(wireFeeRule),
    metadata: drop.metadata,
    created: toSeconds(drop.createdMs),
  }
}

/** The drop object. `nowMs` decides its status, and is its `server_time`. */
export function wireDrop(drop: Drop, skus: readonly Sku[], nowMs: number): WireDrop {
  const status = dropStatus(drop, skus, nowMs)
  const serverTime = toSeconds(nowMs)
  return {
    id: drop.id,
    object: 'drop',
    status,
    ...wireDropFacts(drop),
    skus: skus.map(wireSku),
    server_time: serverTime,
  }
}

function wireFeeRule({ name, kind, amountMinor, basisPoints }: FeeRule): Static<typeof feeRuleObject> {
  return basisPoints === null ? { name, kind, amount: amountMinor ?? 0 } : { name, kind, basis_points: basisPoints }
}

function wireFee({ name, kind, amountMinor }: Fee): Static<typeof feeObject> {
  return { name, kind, amount: amountMinor }
}

function wireCustomer(customer: Customer | ErasedCustomer, audience: Audience): Static<typeof customerObject> | null {
  if (isErased(customer)) return null
  const { email, phone, externalId, name, shippingAddress } = customer
  const contact = { email, phone, external_id: externalId }
  if (audience === 'publishable') return contact
  if (shippingAddress === null) return { ...contact, name, shipping_address: null }
  const { line1, line2, city, state, postalCode, country } = shippingAddress
  return { ...contact, name, shipping_address: { line1, line2, city, state, postal_code: postalCode, country } }
}

function toSecondsOrNull(ms: number | null): number | null {
  return ms === null ? null : toSeconds(ms)
}

function wireLines(hold: Hold): WireHold['lines'] {
  return hold.lines.map(({ skuId, quantity, unitAmountMinor }) => ({
    sku: skuId,
    quantity,
    unit_amount: unitAmountMinor,
  }))
}

export function wireHold(hold: Hold, nowMs: number, audience: Audience): WireHold {
  return {
    id: hold.id,
    object: 'hold',
    status: holdStatusAt(hold, nowMs),
    drop: hold.dropId,
    lines: wireLines(hold),
    fees: hold.fees.map(wireFee),
    amount: hold.amountMinor,
    currency: hold.currency,
    customer: wireCustomer(hold.customer, audience),
    client_secret: hold.clientSecret,
    created: toSeconds(hold.createdMs),
    expires_at: toSeconds(hold.expiresMs),
  }
}

export function wirePayment(payment: Payment): WirePayment {
  return {
    id: payment.id,
    object: 'payment',
    status: paymentStatus(payment),
    reason: payment.reason,
    hold: payment.attachedHoldId ?? payment.holdId,
    order: payment.orderId,
    provider: payment.provider,
    provider_payment_id: payment.providerPaymentId,
    amount: payment.amountMinor,
    amount_refunded: payment.refundedMinor,
    amount_disputed: payment.disputedMinor,
    currency: payment.currency,
    created: toSeconds(payment.createdMs),
  }
}

export function wireOrder(facts: OrderFacts, audience: Audience): WireOrder {
  const { order, hold, refundedMinor } = facts
  const refunded = refundedByLine(facts)
  return {
    id: order.id,
    object: 'order',
    status: orderStatus(facts),
    drop: order.dropId,
    hold: order.holdId,
    payment: order.paymentId,
    lines: wireLines(hold).map((line, index) => ({ ...line, quantity_refunded: refunded[index] ?? 0 })),
    fees: hold.fees.map(wireFee),
    amount: order.amountMinor,
    amount_refunded: refundedMinor,
    currency: order.currency,
    customer: wireCustomer(hold.customer, audience),
    created: toSeconds(order.createdMs),
    cancelled_at: toSecondsOrNull(order.cancelledMs),
    fulfilled_at: toSecondsOrNull(order.fulfilledMs),
  }
}

export function wireRefund(refund: Refund): WireRefund {
  return {
    id: refund.id,
    object: 'refund',
    status: refund.status,
    payment: refund.paymentId,
    order: refund.orderId,
    amount: refund.amountMinor,
    currency: refund.currency,
    reason: refund.reason,
    lines: refund.lines.map(({ skuId, quantity }) => ({ sku: skuId, quantity })),
    restock: refund.restock,
    created: toSeconds(refund.createdMs),
    settled_at: toSecondsOrNull(refund.settledMs),
  }
}

export function wireDispute(dispute: Dispute): WireDispute {
  return {
    id: dispute.id,
    object: 'dispute',
    status: dispute.status,
    payment: dispute.paymentId,
    provider_dispute_id: dispute.providerDisputeId,
    amount: dispute.amountMinor,
    currency: dispute.currency,
    reason: dispute.reason,
    created: toSeconds(dispute.createdMs),
    closed_at: toSecondsOrNull(dispute.closedMs),
  }
}

export function wireCheckout(checkout: Checkout): WireCheckout {
  return {
    object: 'checkout',
    provider: checkout.provider,
    provider_payment_id: checkout.providerPaymentId,
    hold: checkout.holdId,
    amount: checkout.amountMinor,
    currency: checkout.currency,
    url: checkout.url,
    client_secret: checkout.clientSecret,
    expires_at: toSeconds(checkout.expiresMs),
  }
}

export function wireEvent({ id, seq, event }: NumberedEvent): WireEvent {
  return {
    id,
    object: 'event',
    seq,
    type: event.type,
    object_id: event.objectId,
    created: toSeconds(event.createdMs),
  }
}

export function wireBalance({ account, currency, balanceMinor }: Balance): WireBalance {
  return { object: 'ledger_balance', account, currency, balance: balanceMinor }
}

export function wireWebhookEndpoint(endpoint: WebhookEndpoint): WireWebhookEndpoint {
  const { replay } = endpoint
  return {
    id: endpoint.id,
    object: 'webhook_endpoint',
    // A deleted one is shown to nobody but to whom deletes it.
    status: endpoint.status === 'enabled' ? 'enabled' : 'disabled',
    disabled_reason: endpoint.disabledReason,
    url: endpoint.url,
    events: [...endpoint.events],
    description: endpoint.description,
    failing_since: toSecondsOrNull(endpoint.failingSinceMs),
    replay: replay === null ? null : { next: eventId(replay.nextSeq), to: eventId(replay.toSeq) },
    created: toSeconds(endpoint.createdMs),
  }
}

/** `secret`: the clear text, for the request that made it; null for every other. */
export function wireNewWebhookEndpoint(
  endpoint: WebhookEndpoint,
  secret: string | null,
): WireWebhookEndpointWithSecret {
  return { ...wireWebhookEndpoint(endpoint), ...(secret === null ? {} : { secret }) }
}

export function wireWebhookDelivery({ id, delivery, eventType }: NumberedDelivery): WireWebhookDelivery {
  const { endpointId, eventSeq } = delivery
  return {
    id,
    object: 'webhook_delivery',
    status: delivery.status,
    endpoint: endpointId,
    event: eventId(eventSeq),
    type: eventType,
    webhook_id: webhookId(endpointId, eventSeq),
    failures: delivery.failures,
    next_attempt_at: toSecondsOrNull(delivery.nextAttemptMs),
    attempts: delivery.attempts.map(({ startedMs, durationMs, status, fault }) => ({
      created: toSeconds(startedMs),
      duration_ms: durationMs,
      status,
      fault,
    })),
    created: toSeconds(delivery.createdMs),
  }
}

/** The hash is never shown. */
export function wireApiKey(apiKey: ApiKey): WireApiKey {
  return {
    id: apiKey.id,
    object: 'api_key',
    kind: apiKey.kind,
    name: apiKey.name,
    scopes: [...apiKey.scopes],
    hint: apiKey.hint,
    created: toSeconds(apiKey.createdMs),
    expires_at: toSecondsOrNull(apiKey.expiresMs),
    revoked_at: toSecondsOrNull(apiKey.revokedMs),
    last_used_at: toSecondsOrNull(apiKey.lastUsedMs),
  }
}

/** `secret`: the clear text, which only the request that made the key knows; null when it was another one. */
export function wireNewApiKey(apiKey: ApiKey, secret: string | null): WireApiKeyWithSecret {
  return { ...wireApiKey(apiKey), ...(secret === null ? {} : { secret }) }
}

/** `amount` leaves the account `credit` and enters `debit`. */
export function wireLedgerEntry({ id, entry }: NumberedEntry): WireLedgerEntry {
  return {
    id,
    object: 'ledger_entry',
    payment: entry.paymentId,
    cause: entry.causeId,
    debit: entry.debit,
    credit: entry.credit,
    amount: entry.amountMinor,
    currency: entry.currency,
    created: toSeconds(entry.createdMs),
  }
}
