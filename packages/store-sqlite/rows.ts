import type { ApiKey, Scope } from '@penstock/domain/api-key.ts'
import { ledgerEntryId } from '@penstock/domain/ledger-entry.ts'
import { eventId } from '@penstock/domain/outbox-event.ts'
import type { Dispute } from '@penstock/domain/dispute.ts'
import type { Customer, ErasedCustomer } from '@penstock/domain/customer.ts'
import { isErased } from '@penstock/domain/customer.ts'
import { noFees } from '@penstock/domain/fee.ts'
import type { Drop, Sku } from '@penstock/domain/drop.ts'
import type { Fee, FeeRule } from '@penstock/domain/fee.ts'
import type { Hold, HoldLine } from '@penstock/domain/hold.ts'
import type { LedgerEntry } from '@penstock/domain/ledger-entry.ts'
import { orderIdOf } from '@penstock/domain/order.ts'
import type { Order, OrderFacts } from '@penstock/domain/order.ts'
import type { OutboxEvent } from '@penstock/domain/outbox-event.ts'
import type { Payment } from '@penstock/domain/payment.ts'
import type { LineRefund, Refund, RefundLine } from '@penstock/domain/refund.ts'
import type { StoredAnswer } from '@penstock/domain/working-set.ts'
import type { NumberedEntry, NumberedEvent } from '@penstock/store/scanner.ts'

/**
 * Rows as SQLite returns them (`raw` mode: arrays in column order) to nouns of the domain. The column lists stand
 * beside the readers, so that the two cannot drift apart. Field order is part of the IPC format: keep it.
 */

export const dropColumns =
  'id, name, description, image, currency, starts_ms, ends_ms, hold_ttl_ms, max_per_customer, late_payment, fees, metadata, phase, created_ms'

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
  string | null,
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
    fees: decodeFeeRules(row[10]),
    metadata: JSON.parse(row[11]) as Record<string, string>,
    phase: row[12],
    createdMs: row[13],
    skuIds,
  }
}

export const skuColumns = 'id, name, unit_amount, stock, max_per_order, drop_id, held, sold'

export type SkuRow = readonly [string, string, number, number, number | null, string, number, number]

export function toSku(row: SkuRow): Sku {
  return {
    id: row[0],
    name: row[1],
    unitAmountMinor: row[2],
    stock: row[3],
    maxPerOrder: row[4],
    dropId: row[5],
    held: row[6],
    sold: row[7],
  }
}

/** Of a hold as it starts; `holdColumns` adds how it stands now. */
export const holdStartColumns =
  'id, drop_id, lines, fees, amount, currency, customer, client_secret, created_ms, expires_ms'

export const holdColumns = `${holdStartColumns}, status`

export type HoldRow = readonly [
  string,
  string,
  string,
  string | null,
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
    fees: decodeFees(row[3]),
    amountMinor: row[4],
    currency: row[5],
    customer: decodeCustomer(row[6]),
    clientSecret: row[7],
    createdMs: row[8],
    expiresMs: row[9],
    status: row[10],
  }
}

export function encodeLines(lines: readonly HoldLine[]): string {
  return JSON.stringify(lines.map((line) => [line.skuId, line.quantity, line.unitAmountMinor]))
}

function decodeLines(json: string): HoldLine[] {
  const lines = JSON.parse(json) as [string, number, number][]
  return lines.map(([skuId, quantity, unitAmountMinor]) => ({ skuId, quantity, unitAmountMinor }))
}

/** Null where there are none: in almost every hold. */
export function encodeFees(fees: readonly Fee[]): string | null {
  if (fees.length === 0) return null
  return JSON.stringify(fees.map(({ name, kind, amountMinor }) => [name, kind, amountMinor]))
}

function decodeFees(json: string | null): readonly Fee[] {
  if (json === null) return noFees
  const fees = JSON.parse(json) as [string, Fee['kind'], number][]
  return fees.map(([name, kind, amountMinor]) => ({ name, kind, amountMinor }))
}

export function encodeFeeRules(rules: readonly FeeRule[]): string | null {
  if (rules.length === 0) return null
  return JSON.stringify(rules.map(({ name, kind, amountMinor, basisPoints }) => [name, kind, amountMinor, basisPoints]))
}

function decodeFeeRules(json: string | null): readonly FeeRule[] {
  if (json === null) return noFees
  const rules = JSON.parse(json) as [string, FeeRule['kind'], number | null, number | null][]
  return rules.map(([name, kind, amountMinor, basisPoints]) => ({ name, kind, amountMinor, basisPoints }))
}

/** Absent fields are left out: most buyers give an e-mail address only. */
export function encodeCustomer(customer: Customer | ErasedCustomer): string {
  if (isErased(customer)) return JSON.stringify(customer)
  const stored: Partial<Record<keyof Customer, unknown>> = { email: customer.email }
  if (customer.phone !== null) stored.phone = customer.phone
  if (customer.externalId !== null) stored.externalId = customer.externalId
  if (customer.name !== null) stored.name = customer.name
  if (customer.shippingAddress !== null) stored.shippingAddress = customer.shippingAddress
  return JSON.stringify(stored)
}

export function decodeCustomer(json: string): Customer | ErasedCustomer {
  const stored = JSON.parse(json) as (Partial<Customer> & { email: string }) | ErasedCustomer
  if ('countedIn' in stored) return stored
  const { email, phone, externalId, name, shippingAddress } = stored
  return {
    email,
    phone: phone ?? null,
    externalId: externalId ?? null,
    name: name ?? null,
    shippingAddress: shippingAddress ?? null,
  }
}

/** Of a payment as it is inserted. What may change afterwards has a default, so that a capture does not bind it. */
export const newPaymentColumns =
  'id, provider, provider_payment_id, hold_id, amount, currency, status, reason, created_ms'

/** The last: the id of its order, where it does not follow. */
export const paymentColumns = `${newPaymentColumns}, attached_hold_id, refunded, disputed, lost,
  (SELECT order_id FROM order_alias WHERE payment_id = id)`

export type PaymentRow = readonly [
  string,
  string,
  string,
  string,
  number,
  Payment['currency'],
  Payment['status'],
  Payment['reason'],
  number,
  string | null,
  number,
  number,
  number,
  string | null,
]

export function toPayment(row: PaymentRow): Payment {
  return {
    id: row[0],
    provider: row[1],
    providerPaymentId: row[2],
    holdId: row[3],
    orderId: row[6] === 'captured' ? (row[13] ?? orderIdOf(row[0])) : null,
    amountMinor: row[4],
    currency: row[5],
    status: row[6],
    reason: row[7],
    createdMs: row[8],
    attachedHoldId: row[9],
    refundedMinor: row[10],
    disputedMinor: row[11],
    lostMinor: row[12],
  }
}

/**
 * SQL for the id of the payment whose order has the id `orderId`, should there be one: a parameter, or a column with its
 * table. Orders are looked for by it, through the index of payments, and then compared: an id that only follows from that
 * of a payment is not the id of an order that has an alias.
 */
export function paymentOfOrder(orderId: string): string {
  return `coalesce((SELECT order_alias.payment_id FROM order_alias WHERE order_alias.order_id = ${orderId}),
    'pay_' || substr(${orderId}, 5))`
}

export const orderChangeColumns = 'payment_id, created_ms, cancelled_ms, fulfilled_ms'

/** Without the drop, which is that of the hold: the view would look for it again. */
const orderColumns = 'id, hold_id, payment_id, amount, currency, created_ms, cancelled_ms, fulfilled_ms'

type OrderRow = readonly [string, string, string, number, Order['currency'], number, number | null, number | null]

const orderColumnCount = orderColumns.split(',').length

const holdColumnCount = holdColumns.split(',').length

/** The columns of an order (`o`), of its hold (`h`), what was refunded of its payment (`p`), and of which SKUs. */
export const orderFactsColumns = `${qualify('o', orderColumns)}, ${qualify('h', holdColumns)}, p.refunded,
  (SELECT json_group_array(json_array(sku_id, paid_quantity, refunded_quantity, restocked_quantity))
   FROM order_line_refund WHERE order_id = o.id)`

/** What `orderFactsColumns` needs beside `payment p`. CROSS JOIN: SQLite keeps the order of the tables. */
export const orderFactsJoin = 'CROSS JOIN orders o ON o.payment_id = p.id CROSS JOIN hold h ON h.id = o.hold_id'

export function toOrderFacts(row: readonly unknown[]): OrderFacts {
  const hold = toHold(row.slice(orderColumnCount) as unknown as HoldRow)
  const order = toOrder(row as unknown as OrderRow, hold)
  const [refundedMinor, lines] = row.slice(orderColumnCount + holdColumnCount) as [number, string]
  return {
    order,
    hold,
    refundedMinor,
    lineRefunds: lines === '[]' ? [] : toLineRefunds(order.id, lines),
  }
}

function toLineRefunds(orderId: string, json: string): LineRefund[] {
  const lines = JSON.parse(json) as [string, number, number, number][]
  return lines.map(([skuId, paidQuantity, refundedQuantity, restockedQuantity]) => {
    return { orderId, skuId, paidQuantity, refundedQuantity, restockedQuantity }
  })
}

function qualify(table: string, columns: string): string {
  return columns
    .split(', ')
    .map((column) => `${table}.${column}`)
    .join(', ')
}

function toOrder(row: OrderRow, { dropId }: Hold): Order {
  return {
    id: row[0],
    dropId,
    holdId: row[1],
    paymentId: row[2],
    amountMinor: row[3],
    currency: row[4],
    createdMs: row[5],
    cancelledMs: row[6],
    fulfilledMs: row[7],
  }
}

export const refundColumns =
  'id, payment_id, order_id, amount, currency, lines, restock, reason, created_ms, status, settled_ms'

export type RefundRow = readonly [
  string,
  string,
  string | null,
  number,
  Refund['currency'],
  string,
  number,
  string | null,
  number,
  Refund['status'],
  number | null,
]

export function toRefund(row: RefundRow): Refund {
  return {
    id: row[0],
    paymentId: row[1],
    orderId: row[2],
    amountMinor: row[3],
    currency: row[4],
    lines: (JSON.parse(row[5]) as [string, number][]).map(([skuId, quantity]) => ({ skuId, quantity })),
    restock: row[6] === 1,
    reason: row[7],
    createdMs: row[8],
    status: row[9],
    settledMs: row[10],
  }
}

export function encodeRefundLines(lines: readonly RefundLine[]): string {
  return JSON.stringify(lines.map((line) => [line.skuId, line.quantity]))
}

export const disputeColumns =
  'id, payment_id, provider, provider_dispute_id, amount, currency, reason, created_ms, status, closed_ms'

export type DisputeRow = readonly [
  string,
  string,
  string,
  string,
  number,
  Dispute['currency'],
  string | null,
  number,
  Dispute['status'],
  number | null,
]

export function toDispute(row: DisputeRow): Dispute {
  return {
    id: row[0],
    paymentId: row[1],
    provider: row[2],
    providerDisputeId: row[3],
    amountMinor: row[4],
    currency: row[5],
    reason: row[6],
    createdMs: row[7],
    status: row[8],
    closedMs: row[9],
  }
}

export const apiKeyColumns =
  'id, kind, name, scopes, secret_hash, hint, created_ms, expires_ms, revoked_ms, last_used_ms'

export type ApiKeyRow = readonly [
  string,
  ApiKey['kind'],
  string | null,
  string,
  string,
  string,
  number,
  number | null,
  number | null,
  number | null,
]

export function toApiKey(row: ApiKeyRow): ApiKey {
  return {
    id: row[0],
    kind: row[1],
    name: row[2],
    scopes: decodeScopes(row[3]),
    secretHash: row[4],
    hint: row[5],
    createdMs: row[6],
    expiresMs: row[7],
    revokedMs: row[8],
    lastUsedMs: row[9],
  }
}

export function encodeScopes(scopes: readonly Scope[]): string {
  return scopes.join(' ')
}

export function decodeScopes(text: string): readonly Scope[] {
  return text === '' ? [] : (text.split(' ') as Scope[])
}

export const ledgerColumns = 'seq, payment_id, debit, credit, amount, currency, created_ms, cause_id'

export type LedgerRow = readonly [
  number,
  string,
  string,
  string,
  number,
  LedgerEntry['currency'],
  number,
  string | null,
]

export function toNumberedEntry(row: LedgerRow): NumberedEntry {
  return {
    id: ledgerEntryId(row[0]),
    entry: {
      paymentId: row[1],
      debit: row[2],
      credit: row[3],
      amountMinor: row[4],
      currency: row[5],
      createdMs: row[6],
      causeId: row[7],
    },
  }
}

export const eventColumns = 'seq, type, object_id, created_ms'

export type EventRow = readonly [number, OutboxEvent['type'], string, number]

export function toNumberedEvent(row: EventRow): NumberedEvent {
  return { id: eventId(row[0]), seq: row[0], event: { type: row[1], objectId: row[2], createdMs: row[3] } }
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
