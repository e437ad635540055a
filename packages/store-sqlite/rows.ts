import type { Customer } from '@penstock/domain/customer.ts'
import type { Drop, Sku } from '@penstock/domain/drop.ts'
import type { Hold, HoldLine } from '@penstock/domain/hold.ts'
import type { Order } from '@penstock/domain/order.ts'
import type { Payment } from '@penstock/domain/payment.ts'
import type { StoredAnswer } from '@penstock/domain/working-set.ts'

/**
 * Rows as SQLite returns them (`raw` mode: arrays in column order) to nouns of the domain. The column lists stand
 * beside the readers, so that the two cannot drift apart. Field order is part of the IPC format: keep it.
 */

export const dropColumns =
  'id, name, description, image, currency, starts_ms, ends_ms, hold_ttl_ms, max_per_customer, late_payment, metadata, phase, created_ms'

export type DropRow = readonly [
  string,
  string,
  string | null,
  string | null,
  Drop['currency'],
  number,
  number | null,
  number,
  number | null,
  Drop['latePayment'],
  string,
  Drop['phase'],
  number,
]

export function toDrop(row: DropRow, skuIds: readonly string[]): Drop {
  return {
    id: row[0],
    name: row[1],
    description: row[2],
    image: row[3],
    currency: row[4],
    startsAtMs: row[5],
    endsAtMs: row[6],
    holdTtlMs: row[7],
    maxPerCustomer: row[8],
    latePayment: row[9],
    metadata: JSON.parse(row[10]) as Record<string, string>,
    phase: row[11],
    createdMs: row[12],
    skuIds,
  }
}

export const skuColumns = 'id, name, unit_amount, stock, drop_id, held, sold'

export type SkuRow = readonly [string, string, number, number, string, number, number]

export function toSku(row: SkuRow): Sku {
  return {
    id: row[0],
    name: row[1],
    unitAmountMinor: row[2],
    stock: row[3],
    dropId: row[4],
    held: row[5],
    sold: row[6],
  }
}

export const holdColumns =
  'id, drop_id, lines, amount, currency, customer, client_secret, created_ms, expires_ms, status'

export type HoldRow = readonly [
  string,
  string,
  string,
  number,
  Hold['currency'],
  string,
  string,
  number,
  number,
  Hold['status'],
]

export function toHold(row: HoldRow): Hold {
  return {
    id: row[0],
    dropId: row[1],
    lines: decodeLines(row[2]),
    amountMinor: row[3],
    currency: row[4],
    customer: decodeCustomer(row[5]),
    clientSecret: row[6],
    createdMs: row[7],
    expiresMs: row[8],
    status: row[9],
  }
}

export function encodeLines(lines: readonly HoldLine[]): string {
  return JSON.stringify(lines.map((line) => [line.skuId, line.quantity, line.unitAmountMinor]))
}

function decodeLines(json: string): HoldLine[] {
  const lines = JSON.parse(json) as [string, number, number][]
  return lines.map(([skuId, quantity, unitAmountMinor]) => ({ skuId, quantity, unitAmountMinor }))
}

/** Absent fields are left out: most buyers give an e-mail address only. */
export function encodeCustomer(customer: Customer): string {
  const stored: Partial<Record<keyof Customer, unknown>> = { email: customer.email }
  if (customer.phone !== null) stored.phone = customer.phone
  if (customer.externalId !== null) stored.externalId = customer.externalId
  if (customer.name !== null) stored.name = customer.name
  if (customer.shippingAddress !== null) stored.shippingAddress = customer.shippingAddress
  return JSON.stringify(stored)
}

export function decodeCustomer(json: string): Customer {
  const { email, phone, externalId, name, shippingAddress } = JSON.parse(json) as Partial<Customer> & { email: string }
  return {
    email,
    phone: phone ?? null,
    externalId: externalId ?? null,
    name: name ?? null,
    shippingAddress: shippingAddress ?? null,
  }
}

export const paymentColumns =
  'id, provider, provider_payment_id, hold_id, order_id, amount, currency, status, reason, created_ms'

export type PaymentRow = readonly [
  string,
  string,
  string,
  string,
  string | null,
  number,
  Payment['currency'],
  Payment['status'],
  Payment['reason'],
  number,
]

export function toPayment(row: PaymentRow): Payment {
  return {
    id: row[0],
    provider: row[1],
    providerPaymentId: row[2],
    holdId: row[3],
    orderId: row[4],
    amountMinor: row[5],
    currency: row[6],
    status: row[7],
    reason: row[8],
    createdMs: row[9],
  }
}

export const orderColumns = 'id, drop_id, hold_id, payment_id, amount, currency, status, created_ms'

export type OrderRow = readonly [string, string, string, string, number, Order['currency'], Order['status'], number]

export function toOrder(row: OrderRow): Order {
  return {
    id: row[0],
    dropId: row[1],
    holdId: row[2],
    paymentId: row[3],
    amountMinor: row[4],
    currency: row[5],
    status: row[6],
    createdMs: row[7],
  }
}

export function encodeAnswer(answer: StoredAnswer): string {
  switch (answer.kind) {
    case 'hold':
      return answer.holdId
    case 'payment':
      return answer.paymentKey
    case 'result':
      return answer.json
  }
}

export function toAnswer(kind: StoredAnswer['kind'], text: string): StoredAnswer {
  switch (kind) {
    case 'hold':
      return { kind, holdId: text }
    case 'payment':
      return { kind, paymentKey: text }
    case 'result':
      return { kind, json: text }
  }
}
