import { ledgerEntryId, ledgerEntrySeq } from '@penstock/domain/ledger-entry.ts'
import { orderIdOf } from '@penstock/domain/order.ts'
import { eventId, eventSeq } from '@penstock/domain/outbox-event.ts'
import { webhookDeliveryId, webhookDeliverySeq } from '@penstock/domain/webhook.ts'
import {
  disputeColumns,
  eventColumns,
  holdColumns,
  ledgerColumns,
  orderFactsColumns,
  orderFactsJoin,
  paymentColumns,
  paymentOfOrder,
  refundColumns,
  toDispute,
  toHold,
  toNumberedEntry,
  toNumberedEvent,
  toOrderFacts,
  toPayment,
  toRefund,
} from './rows.ts'
import { numberedDeliveryColumns, toNumberedDelivery } from './webhook-rows.ts'
import type { IdKind } from '@penstock/domain/id.ts'
import type { CollectionName, Collections, FilterName } from '@penstock/store/scanner.ts'
import type { DisputeRow, EventRow, HoldRow, LedgerRow, PaymentRow, RefundRow } from './rows.ts'

/** One collection as `SqliteScanner` reads it. Everything here is SQL of our own; values are bound. */
export interface ScanTable<Name extends CollectionName> {
  /** What is listed, with its alias. The key of a row is here, so that stepping over rows touches nothing else. */
  readonly table: string
  /** What every row is joined with, if anything. */
  readonly join?: string
  /** The join leaves rows of `table` out, so a step has to count those it looks at. */
  readonly isPart?: true
  /** SQL for the least key of what was made from ?, before ?, although its id is older; null when there is none. */
  readonly oldestLate?: string
  /** The column rows are ordered by: an indexed id, or the number the writer gave. */
  readonly key: ScanKey
  /** Unix milliseconds. */
  readonly created: string
  readonly columns: string
  readonly toRow: (row: readonly unknown[]) => Collections[Name]
  readonly idOf: (row: Collections[Name]) => string
  readonly conditions: Readonly<Record<FilterName<Name>, ToCondition>>
}

export type ScanKey =
  | { readonly kind: 'id'; readonly column: string; readonly idKind: IdKind }
  /** The id of another kind, from which that of a row follows. `keyOf`: SQL from an id (`@id`) to it. */
  | {
      readonly kind: 'twin'
      readonly column: string
      readonly idKind: IdKind
      readonly toId: (key: string) => string
      readonly keyOf: string
    }
  /** `created` never falls as the number grows: the clock of the writer never runs backwards. */
  | {
      readonly kind: 'seq'
      readonly column: string
      readonly toId: (seq: number) => string
      readonly seqOf: (id: string) => number | null
    }

export type ToCondition = (value: string, nowMs: number) => Condition

export interface Condition {
  readonly sql: string
  readonly values: readonly (string | number)[]
  /** Names one row by its key, or a few by an index: SQLite goes there, and no rows are stepped over. */
  readonly pinsKey?: true
}

const equals =
  (column: string): ToCondition =>
  (value) => ({ sql: `${column} = ?`, values: [value] })

/** Of a key, or of an index by which a row is one of a few. */
const pins =
  (column: string): ToCondition =>
  (value) => ({ sql: `${column} = ?`, values: [value], pinsKey: true })

/** Without case, as far as ASCII goes: what SQLite's lower() knows. */
const emailIs =
  (customer: string): ToCondition =>
  (value) => ({ sql: `lower(json_extract(${customer}, '$.email')) = lower(?)`, values: [value] })

/** Somewhere in one of `texts`, without ASCII case. */
const contains =
  (...texts: readonly string[]): ToCondition =>
  (value) => ({
    sql: `(${texts.map((text) => `instr(lower(${text}), lower(?)) > 0`).join(' OR ')})`,
    values: texts.map(() => value),
  })

const customerTexts = (customer: string): readonly string[] =>
  ['email', 'name', 'phone', 'externalId'].map((field) => `json_extract(${customer}, '$.${field}')`)

/** As `holdStatusAt` of the domain. */
const holdStatusIs: ToCondition = (value, nowMs) => {
  if (value === 'active') return { sql: `(h.status = 'active' AND h.expires_ms > ?)`, values: [nowMs] }
  if (value !== 'expired') return equals('h.status')(value, nowMs)
  return { sql: `(h.status = 'expired' OR (h.status = 'active' AND h.expires_ms <= ?))`, values: [nowMs] }
}

/** As `paymentStatus` of the domain. */
const paymentStatusNow = `CASE
  WHEN p.disputed > 0 THEN 'disputed'
  WHEN p.refunded = 0 THEN p.status
  WHEN p.refunded = p.amount THEN 'refunded'
  WHEN p.status = 'captured' THEN 'partially_refunded'
  ELSE p.status END`

/** As `orderStatus` of the domain. */
const orderStatusNow = `CASE
  WHEN o.cancelled_ms IS NOT NULL THEN 'cancelled'
  WHEN p.refunded > 0 AND p.refunded = o.amount THEN 'refunded'
  WHEN p.refunded > 0 OR EXISTS (SELECT 1 FROM order_line_refund WHERE order_id = o.id AND refunded_quantity > 0)
    THEN 'partially_refunded'
  WHEN o.fulfilled_ms IS NOT NULL THEN 'fulfilled'
  ELSE 'paid' END`

export const scanTables: { readonly [Name in CollectionName]: ScanTable<Name> } = {
  holds: {
    table: 'hold h',
    key: { kind: 'id', column: 'h.id', idKind: 'hold' },
    created: 'h.created_ms',
    columns: holdColumns,
    toRow: (row) => toHold(row as HoldRow),
    idOf: (hold) => hold.id,
    conditions: {
      status: holdStatusIs,
      drop: equals('h.drop_id'),
      customer_email: emailIs('h.customer'),
      q: contains('h.id', ...customerTexts('h.customer')),
    },
  },
  payments: {
    table: 'payment p',
    key: { kind: 'id', column: 'p.id', idKind: 'payment' },
    created: 'p.created_ms',
    columns: paymentColumns,
    toRow: (row) => toPayment(row as PaymentRow),
    idOf: (payment) => payment.id,
    conditions: {
      status: equals(paymentStatusNow),
      hold: equals('coalesce(p.attached_hold_id, p.hold_id)'),
      order: (value) => ({
        sql: `p.id = ${paymentOfOrder('?')} AND EXISTS (SELECT 1 FROM orders AS o WHERE o.payment_id = p.id AND o.id = ?)`,
        values: [value, value, value],
        pinsKey: true,
      }),
      q: contains('p.id', 'p.provider_payment_id', 'p.hold_id', 'p.attached_hold_id'),
    },
  },
  orders: {
    table: 'payment p',
    join: orderFactsJoin,
    isPart: true,
    oldestLate: 'SELECT min(payment_id) FROM order_change WHERE created_ms >= ? AND created_ms < ?',
    key: {
      kind: 'twin',
      column: 'p.id',
      idKind: 'payment',
      toId: orderIdOf,
      keyOf: `SELECT ${paymentOfOrder('@id')}`,
    },
    created: 'o.created_ms',
    columns: orderFactsColumns,
    toRow: toOrderFacts,
    idOf: ({ order }) => order.id,
    conditions: {
      status: equals(orderStatusNow),
      drop: equals('h.drop_id'),
      payment: pins('p.id'),
      customer_email: emailIs('h.customer'),
      q: contains('o.id', 'o.hold_id', 'o.payment_id', ...customerTexts('h.customer')),
    },
  },
  refunds: {
    table: 'refund r',
    key: { kind: 'id', column: 'r.id', idKind: 'refund' },
    created: 'r.created_ms',
    columns: refundColumns,
    toRow: (row) => toRefund(row as RefundRow),
    idOf: (refund) => refund.id,
    conditions: {
      status: equals('r.status'),
      payment: pins('r.payment_id'),
      order: (value) => ({
        sql: `r.payment_id = ${paymentOfOrder('?')} AND r.order_id = ?`,
        values: [value, value, value],
        pinsKey: true,
      }),
    },
  },
  disputes: {
    table: 'dispute d',
    key: { kind: 'id', column: 'd.id', idKind: 'dispute' },
    created: 'd.created_ms',
    columns: disputeColumns,
    toRow: (row) => toDispute(row as DisputeRow),
    idOf: (dispute) => dispute.id,
    conditions: {
      status: equals('d.status'),
      payment: pins('d.payment_id'),
    },
  },
  ledger_entries: {
    table: 'ledger_entry l',
    key: { kind: 'seq', column: 'l.seq', toId: ledgerEntryId, seqOf: ledgerEntrySeq },
    created: 'l.created_ms',
    columns: ledgerColumns,
    toRow: (row) => toNumberedEntry(row as LedgerRow),
    idOf: ({ id }) => id,
    conditions: {
      payment: equals('l.payment_id'),
      account: (value) => ({ sql: '(l.debit = ? OR l.credit = ?)', values: [value, value] }),
    },
  },
  events: {
    table: 'event e',
    key: { kind: 'seq', column: 'e.seq', toId: eventId, seqOf: eventSeq },
    created: 'e.created_ms',
    columns: eventColumns,
    toRow: (row) => toNumberedEvent(row as EventRow),
    idOf: ({ id }) => id,
    conditions: { type: equals('e.type'), object_id: equals('e.object_id') },
  },
  webhook_deliveries: {
    table: 'webhook_delivery d',
    key: { kind: 'seq', column: 'd.seq', toId: webhookDeliveryId, seqOf: webhookDeliverySeq },
    created: 'd.created_ms',
    columns: numberedDeliveryColumns,
    toRow: toNumberedDelivery,
    idOf: ({ id }) => id,
    conditions: {
      // The plus: SQLite would rather look all of them up by the index of endpoints, and then sort.
      endpoint: equals('+d.endpoint_id'),
      event: (value) => ({ sql: 'd.event_seq = ?', values: [eventSeq(value) ?? 0] }),
      status: equals('d.status'),
    },
  },
}
