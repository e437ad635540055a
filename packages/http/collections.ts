import { disputeStatuses } from '@penstock/domain/dispute.ts'
import { holdStatuses } from '@penstock/domain/hold.ts'
import { emailLengthMax, searchLengthMax } from '@penstock/domain/limits.ts'
import { formatAmount } from '@penstock/domain/money.ts'
import { orderStatuses } from '@penstock/domain/order.ts'
import { outboxEventTypes } from '@penstock/domain/outbox-event.ts'
import { paymentStatuses } from '@penstock/domain/payment.ts'
import { refundStatuses } from '@penstock/domain/refund.ts'
import { webhookDeliveryStatuses } from '@penstock/domain/webhook.ts'
import { csvTime } from './csv.ts'
import {
  disputeObject,
  eventId,
  eventObject,
  holdObject,
  ledgerEntryId,
  ledgerEntryObject,
  orderObject,
  paymentObject,
  refundObject,
  webhookDeliveryId,
  webhookDeliveryObject,
} from '@penstock/wire/objects.ts'
import { id as idOf, oneOf, text } from '@penstock/wire/schema-fields.ts'
import {
  wireDispute,
  wireEvent,
  wireHold,
  wireLedgerEntry,
  wireOrder,
  wirePayment,
  wireRefund,
  wireWebhookDelivery,
} from '@penstock/wire/wire.ts'
import type { Static, TSchema } from 'typebox'
import type { Resource } from '@penstock/domain/api-key.ts'
import type { Currency } from '@penstock/domain/money.ts'
import type { CollectionName, Collections, FilterName } from '@penstock/store/scanner.ts'
import type { CsvCell } from './csv.ts'
import type { ListedObject } from '@penstock/wire/objects.ts'
import type { WireHold, WireOrder } from '@penstock/wire/wire.ts'

/** One kind of object that can be listed and exported. DESIGN.md says how to add one. */
export interface Collection<Name extends CollectionName = CollectionName> {
  readonly path: string
  /** The id of one object: where a page may begin or end. */
  readonly cursor: TSchema
  /** What a value must be; a `description` completes "FILTER must be …". */
  readonly filters: Readonly<Record<FilterName<Name>, TSchema>>
  /** What the objects are, for the documents. */
  readonly item: ListedObject
  /** The object of the API. `nowMs` decides what depends on the clock. */
  readonly wire: (row: Collections[Name], nowMs: number) => object
  readonly csvHeader: readonly string[]
  readonly csvCells: (row: Collections[Name], nowMs: number) => readonly CsvCell[]
}

/** A secret key needs its `:read` scope. */
export function resourceOf(name: CollectionName): Resource {
  if (name === 'webhook_deliveries') return 'webhooks'
  return name === 'ledger_entries' ? 'ledger' : name
}

/** Of ids, names and the like, which filters compare or search. */
const anyText = text('a text', searchLengthMax)
const search = text('a text to search for', searchLengthMax, { example: 'ada' })
const email = text('an e-mail address', emailLengthMax, { example: 'ada@example.com' })
const anyOf = <const Value extends string>(values: readonly Value[]) => oneOf(values, `one of ${values.join(', ')}`)

/** A column of a CSV file, from the object of the API. */
type Column<Wire> = readonly [name: string, cell: (object: Wire) => CsvCell]

interface Declaration<Name extends CollectionName, Item extends ListedObject> extends Pick<
  Collection<Name>,
  'path' | 'cursor' | 'filters'
> {
  readonly item: Item
  readonly wire: (row: Collections[Name], nowMs: number) => Static<Item>
  readonly csv: readonly Column<Static<Item>>[]
}

function declare<Name extends CollectionName, Item extends ListedObject>({
  csv,
  ...rest
}: Declaration<Name, Item>): Collection<Name> {
  return {
    ...rest,
    csvHeader: csv.map(([name]) => name),
    csvCells: (row, nowMs) => {
      const object = rest.wire(row, nowMs)
      return csv.map(([, cell]) => cell(object))
    },
  }
}

interface WithAmount {
  readonly amount: number
  readonly currency: Currency
}

/** Minor units to compute with, and the amount as people write it. */
const amountColumns: readonly Column<WithAmount>[] = [
  ['amount', ({ amount }) => amount],
  ['currency', ({ currency }) => currency],
  ['amount_formatted', ({ amount, currency }) => formatAmount(amount, currency)],
]

interface WithLines {
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[]
}

/** `sku_..:2 sku_..:1`, and the units of all lines. */
const lineColumns: readonly Column<WithLines>[] = [
  ['units', ({ lines }) => lines.reduce((sum, { quantity }) => sum + quantity, 0)],
  ['lines', ({ lines }) => lines.map(({ sku, quantity }) => `${sku}:${quantity}`).join(' ')],
]

type WithFees = Pick<WireHold, 'fees'>

/** Minor units, part of the amount. */
const feesColumn: Column<WithFees> = ['fees', ({ fees }) => fees.reduce((sum, { amount }) => sum + amount, 0)]

type WithCustomer = Pick<WireOrder, 'customer'>

const contactColumns: readonly Column<WithCustomer>[] = [
  ['customer_email', ({ customer }) => customer?.email ?? null],
  ['customer_name', ({ customer }) => customer?.name ?? null],
  ['customer_phone', ({ customer }) => customer?.phone ?? null],
  ['customer_external_id', ({ customer }) => customer?.external_id ?? null],
]

const addressColumns: readonly Column<WithCustomer>[] = (
  ['line1', 'line2', 'city', 'state', 'postal_code', 'country'] as const
).map((field) => [`shipping_${field}`, ({ customer }) => customer?.shipping_address?.[field] ?? null])

export const collections: { readonly [Name in CollectionName]: Collection<Name> } = {
  holds: declare<'holds', typeof holdObject>({
    path: '/v1/holds',
    cursor: idOf('hold'),
    filters: {
      status: anyOf(holdStatuses),
      drop: idOf('drop'),
      customer_email: email,
      q: search,
    },
    item: holdObject,
    wire: (hold, nowMs) => wireHold(hold, nowMs, 'secret'),
    csv: [
      ['id', ({ id }) => id],
      ['status', ({ status }) => status],
      ['drop', ({ drop }) => drop],
      ['created', ({ created }) => csvTime(created)],
      ['expires_at', ({ expires_at }) => csvTime(expires_at)],
      ...amountColumns,
      feesColumn,
      ...lineColumns,
      ...contactColumns,
      ...addressColumns,
    ],
  }),
  payments: declare<'payments', typeof paymentObject>({
    path: '/v1/payments',
    cursor: idOf('payment'),
    filters: {
      status: anyOf(paymentStatuses),
      hold: idOf('hold'),
      order: idOf('order'),
      q: search,
    },
    item: paymentObject,
    wire: wirePayment,
    csv: [
      ['id', ({ id }) => id],
      ['status', ({ status }) => status],
      ['reason', ({ reason }) => reason],
      ['created', ({ created }) => csvTime(created)],
      ...amountColumns,
      ['amount_refunded', ({ amount_refunded }) => amount_refunded],
      ['amount_disputed', ({ amount_disputed }) => amount_disputed],
      ['provider', ({ provider }) => provider],
      ['provider_payment_id', ({ provider_payment_id }) => provider_payment_id],
      ['hold', ({ hold }) => hold],
      ['order', ({ order }) => order],
    ],
  }),
  orders: declare<'orders', typeof orderObject>({
    path: '/v1/orders',
    cursor: idOf('order'),
    filters: {
      status: anyOf(orderStatuses),
      drop: idOf('drop'),
      payment: idOf('payment'),
      customer_email: email,
      q: search,
    },
    item: orderObject,
    wire: (facts) => wireOrder(facts, 'secret'),
    csv: [
      ['id', ({ id }) => id],
      ['status', ({ status }) => status],
      ['drop', ({ drop }) => drop],
      ['created', ({ created }) => csvTime(created)],
      ...amountColumns,
      feesColumn,
      ['amount_refunded', ({ amount_refunded }) => amount_refunded],
      ['cancelled_at', ({ cancelled_at }) => csvTime(cancelled_at)],
      ['fulfilled_at', ({ fulfilled_at }) => csvTime(fulfilled_at)],
      ...lineColumns,
      ['hold', ({ hold }) => hold],
      ['payment', ({ payment }) => payment],
      ...contactColumns,
      ...addressColumns,
    ],
  }),
  refunds: declare<'refunds', typeof refundObject>({
    path: '/v1/refunds',
    cursor: idOf('refund'),
    filters: { status: anyOf(refundStatuses), payment: idOf('payment'), order: idOf('order') },
    item: refundObject,
    wire: wireRefund,
    csv: [
      ['id', ({ id }) => id],
      ['status', ({ status }) => status],
      ['created', ({ created }) => csvTime(created)],
      ['settled_at', ({ settled_at }) => csvTime(settled_at)],
      ...amountColumns,
      ['payment', ({ payment }) => payment],
      ['order', ({ order }) => order],
      ...lineColumns,
      ['restock', ({ restock }) => restock],
      ['reason', ({ reason }) => reason],
    ],
  }),
  disputes: declare<'disputes', typeof disputeObject>({
    path: '/v1/disputes',
    cursor: idOf('dispute'),
    filters: { status: anyOf(disputeStatuses), payment: idOf('payment') },
    item: disputeObject,
    wire: wireDispute,
    csv: [
      ['id', ({ id }) => id],
      ['status', ({ status }) => status],
      ['created', ({ created }) => csvTime(created)],
      ['closed_at', ({ closed_at }) => csvTime(closed_at)],
      ...amountColumns,
      ['payment', ({ payment }) => payment],
      ['provider_dispute_id', ({ provider_dispute_id }) => provider_dispute_id],
      ['reason', ({ reason }) => reason],
    ],
  }),
  ledger_entries: declare<'ledger_entries', typeof ledgerEntryObject>({
    path: '/v1/ledger/entries',
    cursor: ledgerEntryId,
    filters: { payment: idOf('payment'), account: anyText },
    item: ledgerEntryObject,
    wire: wireLedgerEntry,
    csv: [
      ['id', ({ id }) => id],
      ['created', ({ created }) => csvTime(created)],
      ['debit', ({ debit }) => debit],
      ['credit', ({ credit }) => credit],
      ...amountColumns,
      ['payment', ({ payment }) => payment],
      ['cause', ({ cause }) => cause],
    ],
  }),
  events: declare<'events', typeof eventObject>({
    path: '/v1/events',
    cursor: eventId,
    filters: { type: anyOf(outboxEventTypes), object_id: anyText },
    item: eventObject,
    wire: wireEvent,
    csv: [
      ['id', ({ id }) => id],
      ['created', ({ created }) => csvTime(created)],
      ['type', ({ type }) => type],
      ['object_id', ({ object_id }) => object_id],
    ],
  }),
  webhook_deliveries: declare<'webhook_deliveries', typeof webhookDeliveryObject>({
    path: '/v1/webhook_deliveries',
    cursor: webhookDeliveryId,
    filters: { endpoint: idOf('webhook_endpoint'), event: eventId, status: anyOf(webhookDeliveryStatuses) },
    item: webhookDeliveryObject,
    wire: wireWebhookDelivery,
    csv: [
      ['id', ({ id }) => id],
      ['status', ({ status }) => status],
      ['created', ({ created }) => csvTime(created)],
      ['endpoint', ({ endpoint }) => endpoint],
      ['event', ({ event }) => event],
      ['type', ({ type }) => type],
      ['failures', ({ failures }) => failures],
      ['next_attempt_at', ({ next_attempt_at }) => csvTime(next_attempt_at)],
      ['attempts', ({ attempts }) => attempts.length],
      ['last_status', ({ attempts }) => attempts.at(-1)?.status ?? null],
      ['last_fault', ({ attempts }) => attempts.at(-1)?.fault ?? null],
    ],
  }),
}

export const collectionNames = Object.keys(collections) as readonly CollectionName[]
