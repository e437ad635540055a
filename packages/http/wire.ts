import { availableUnits } from '@penstock/domain/drop.ts'
import { holdStatusAt } from '@penstock/domain/hold.ts'
import type { Static } from 'typebox'
import type { Customer } from '@penstock/domain/customer.ts'
import type { Drop, Sku } from '@penstock/domain/drop.ts'
import type { Hold } from '@penstock/domain/hold.ts'
import type { Payment } from '@penstock/domain/payment.ts'
import type { Credential, OrderWithHold } from '@penstock/store/queries.ts'
import type { customerObject, dropObject, holdObject, orderObject, paymentObject, skuObject } from './objects.ts'

/** Nouns of the domain as the objects of the API (`objects.ts`). Times become Unix seconds. */

export type WireSku = Static<typeof skuObject>
export type WireDrop = Static<typeof dropObject>
export type WireHold = Static<typeof holdObject>
export type WirePayment = Static<typeof paymentObject>
export type WireOrder = Static<typeof orderObject>

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
  const { id, name, unitAmountMinor, stock, held, sold } = sku
  return { id, object: 'sku', name, unit_amount: unitAmountMinor, stock, held, sold, available: availableUnits(sku) }
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
    metadata: drop.metadata,
    created: toSeconds(drop.createdMs),
  }
}

function wireCustomer(customer: Customer, audience: Audience): Static<typeof customerObject> {
  const { email, phone, externalId, name, shippingAddress } = customer
  const contact = { email, phone, external_id: externalId }
  if (audience === 'publishable') return contact
  if (shippingAddress === null) return { ...contact, name, shipping_address: null }
  const { line1, line2, city, state, postalCode, country } = shippingAddress
  return { ...contact, name, shipping_address: { line1, line2, city, state, postal_code: postalCode, country } }
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
    status: payment.status,
    reason: payment.reason,
    hold: payment.holdId,
    order: payment.orderId,
    provider: payment.provider,
    provider_payment_id: payment.providerPaymentId,
    amount: payment.amountMinor,
    currency: payment.currency,
    created: toSeconds(payment.createdMs),
  }
}

export function wireOrder({ order, hold }: OrderWithHold): WireOrder {
  return {
    id: order.id,
    object: 'order',
    status: order.status,
    drop: order.dropId,
    hold: order.holdId,
    payment: order.paymentId,
    lines: wireLines(hold),
    amount: order.amountMinor,
    currency: order.currency,
    customer: wireCustomer(hold.customer, 'secret'),
    created: toSeconds(order.createdMs),
  }
}
