import { disputeStatuses } from '@penstock/domain/dispute.ts'
import { holdStatuses } from '@penstock/domain/hold.ts'
import { isId } from '@penstock/domain/id.ts'
import { ledgerEntrySeq } from '@penstock/domain/ledger-entry.ts'
import { emailLengthMax, searchLengthMax } from '@penstock/domain/limits.ts'
import { formatAmount } from '@penstock/domain/money.ts'
import { orderStatuses } from '@penstock/domain/order.ts'
import { eventSeq, outboxEventTypes } from '@penstock/domain/outbox-event.ts'
import { paymentStatuses } from '@penstock/domain/payment.ts'
import { refundStatuses } from '@penstock/domain/refund.ts'
import { csvTime } from './csv.ts'
import { wireDispute, wireEvent, wireHold, wireLedgerEntry, wireOrder, wirePayment, wireRefund } from './wire.ts'
import type { Resource } from '@penstock/domain/api-key.ts'
import type { IdKind } from '@penstock/domain/id.ts'
import type { Currency } from '@penstock/domain/money.ts'
import type { CollectionName, Collections, FilterName } from '@penstock/store/scanner.ts'
import type { CsvCell } from './csv.ts'

/** One kind of object that can be listed and exported. DESIGN.md says how to add one. */
export interface Collection<Name extends CollectionName = CollectionName> {
  readonly path: string
  /** For messages: `an order`. */
  readonly noun: string
  readonly isCursor: (text: string) => boolean
  readonly filters: Readonly<Record<FilterName<Name>, FilterRule>>
  /** The object of the API. `nowMs` decides what depends on the clock. */
  readonly wire: (row: Collections[Name], nowMs: number) => object
  readonly csvHeader: readonly string[]
  readonly csvCells: (row: Collections[Name], nowMs: number) => readonly CsvCell[]
}

/** A secret key needs its `:read` scope. */
export function resourceOf(name: CollectionName): Resource {
  return name === 'ledger_entries' ? 'ledger' : name
}

export interface FilterRule {
  readonly isValid: (value: string) => boolean
  /** What a value must be, to follow "must be". */
  readonly expected: string
}

const oneOf = (values: readonly string[]): FilterRule => ({
  isValid: (value) => values.includes(value),
  expected: `one of ${values.join(', ')}`,
})

const idOf = (kind: IdKind): FilterRule => ({
  isValid: (value) => isId(kind, value),
  expected: `the id of ${kind === 'order' ? 'an' : 'a'} ${kind}`,
})

const textUpTo = (lengthMax: number): FilterRule => ({
  isValid: (value) => value.length > 0 && value.length <= lengthMax,
  expected: `a text of 1 to ${lengthMax} characters`,
})

/** A column of a CSV file, from the object of the API. */
type Column<Wire> = readonly [name: string, cell: (object: Wire) => CsvCell]

interface Declaration<Name extends CollectionName, Wire extends object> extends Pick<
  Collection<Name>,
  'path' | 'noun' | 'isCursor' | 'filters'
> {
  readonly wire: (row: Collections[Name], nowMs: number) => Wire
  readonly csv: readonly Column<Wire>[]
}

function declare<Name extends CollectionName, Wire extends object>({
  csv,
  ...rest
}: Declaration<Name, Wire>): Collection<Name> {
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

type WithFees = Pick<ReturnType<typeof wireHold>, 'fees'>

/** Minor units, part of the amount. */
const feesColumn: Column<WithFees> = ['fees', ({ fees }) => fees.reduce((sum, { amount }) => sum + amount, 0)]

type WithCustomer = Pick<ReturnType<typeof wireOrder>, 'customer'>

/** Sellers see all of a customer, until it is erased. */
const nameAndAddress = ({ customer }: WithCustomer) => (customer !== null && 'name' in customer ? customer : null)

const contactColumns: readonly Column<WithCustomer>[] = [
  ['customer_email', ({ customer }) => customer?.email ?? null],
  ['customer_name', (object) => nameAndAddress(object)?.name ?? null],
  ['customer_phone', ({ customer }) => customer?.phone ?? null],
  ['customer_external_id', ({ customer }) => customer?.external_id ?? null],
]

const addressColumns: readonly Column<WithCustomer>[] = (
  ['line1', 'line2', 'city', 'state', 'postal_code', 'country'] as const
).map((field) => [`shipping_${field}`, (object) => nameAndAddress(object)?.shipping_address?.[field] ?? null])

export const collections: { readonly [Name in CollectionName]: Collection<Name> } = {
  holds: declare<'holds', ReturnType<typeof wireHold>>({
    path: '/v1/holds',
    noun: 'a hold',
    isCursor: (text) => isId('hold', text),
    filters: {
      status: oneOf(holdStatuses),
      drop: idOf('drop'),
      customer_email: textUpTo(emailLengthMax),
      q: textUpTo(searchLengthMax),
    },
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
  payments: declare<'payments', ReturnType<typeof wirePayment>>({
    path: '/v1/payments',
    noun: 'a payment',
    isCursor: (text) => isId('payment', text),
    filters: {
      status: oneOf(paymentStatuses),
      hold: idOf('hold'),
      order: idOf('order'),
      q: textUpTo(searchLengthMax),
    },
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
  orders: declare<'orders', ReturnType<typeof wireOrder>>({
    path: '/v1/orders',
    noun: 'an order',
    isCursor: (text) => isId('order', text),
    filters: {
      status: oneOf(orderStatuses),
      drop: idOf('drop'),
      payment: idOf('payment'),
      customer_email: textUpTo(emailLengthMax),
      q: textUpTo(searchLengthMax),
    },
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
  refunds: declare<'refunds', ReturnType<typeof wireRefund>>({
    path: '/v1/refunds',
    noun: 'a refund',
    isCursor: (text) => isId('refund', text),
    filters: { status: oneOf(refundStatuses), payment: idOf('payment'), order: idOf('order') },
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
  disputes: declare<'disputes', ReturnType<typeof wireDispute>>({
    path: '/v1/disputes',
    noun: 'a dispute',
    isCursor: (text) => isId('dispute', text),
    filters: { status: oneOf(disputeStatuses), payment: idOf('payment') },
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
  ledger_entries: declare<'ledger_entries', ReturnType<typeof wireLedgerEntry>>({
    path: '/v1/ledger/entries',
    noun: 'a ledger entry',
    isCursor: (text) => ledgerEntrySeq(text) !== null,
    filters: { payment: idOf('payment'), account: textUpTo(searchLengthMax) },
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
  events: declare<'events', ReturnType<typeof wireEvent>>({
    path: '/v1/events',
    noun: 'an event',
    isCursor: (text) => eventSeq(text) !== null,
    filters: { type: oneOf(outboxEventTypes), object_id: textUpTo(searchLengthMax) },
    wire: wireEvent,
    csv: [
      ['id', ({ id }) => id],
      ['created', ({ created }) => csvTime(created)],
      ['type', ({ type }) => type],
      ['object_id', ({ object_id }) => object_id],
    ],
  }),
}

export const collectionNames = Object.keys(collections) as readonly CollectionName[]
