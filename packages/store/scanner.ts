import type { Dispute } from '@penstock/domain/dispute.ts'
import type { Hold } from '@penstock/domain/hold.ts'
import type { LedgerEntry } from '@penstock/domain/ledger-entry.ts'
import type { OrderFacts } from '@penstock/domain/order.ts'
import type { OutboxEvent, OutboxEventType } from '@penstock/domain/outbox-event.ts'
import type { Payment } from '@penstock/domain/payment.ts'
import type { Refund } from '@penstock/domain/refund.ts'
import type { WebhookDelivery } from '@penstock/domain/webhook.ts'

/**
 * The slow read side: lists with filters, and exports. On a connection of its own, on a thread of its own.
 *
 * A read is many calls of `scan`, each one short statement that looks at a bounded number of rows. Nothing stays open
 * between two calls, so the writer can always checkpoint, and a read is stopped by not asking on. Every call sees the
 * last commit at its moment: what exists from the first call to the last is seen once, what is made or changed
 * meanwhile is seen as it is when its part is read, or not at all.
 */
export interface Scanner {
  scan<Name extends CollectionName>(request: ScanRequest<Name>): ScanStep<Collections[Name]>
  close(): void
}

/** What can be listed and exported. */
export interface Collections {
  readonly holds: Hold
  readonly payments: Payment
  readonly orders: OrderFacts
  readonly refunds: Refund
  readonly disputes: Dispute
  readonly ledger_entries: NumberedEntry
  readonly events: NumberedEvent
  readonly webhook_deliveries: NumberedDelivery
}

export type CollectionName = keyof Collections

/** The filters of each collection. `q` is a search, the others are equal to something. */
export const filterNames = {
  holds: ['status', 'drop', 'customer_email', 'q'],
  payments: ['status', 'hold', 'order', 'q'],
  orders: ['status', 'drop', 'payment', 'customer_email', 'q'],
  refunds: ['status', 'payment', 'order'],
  disputes: ['status', 'payment'],
  ledger_entries: ['payment', 'account'],
  events: ['type', 'object_id'],
  webhook_deliveries: ['endpoint', 'event', 'status'],
} as const satisfies Record<CollectionName, readonly string[]>

export type FilterName<Name extends CollectionName> = (typeof filterNames)[Name][number]

export interface NumberedEntry {
  /** `ledgerEntryId` of the domain. */
  readonly id: string
  readonly entry: LedgerEntry
}

export interface NumberedEvent {
  /** `eventId` of the domain. */
  readonly id: string
  readonly seq: number
  readonly event: OutboxEvent
}

export interface NumberedDelivery {
  /** `webhookDeliveryId` of the domain. */
  readonly id: string
  readonly delivery: WebhookDelivery
  readonly eventType: OutboxEventType
}

/** What a read is about; the same for each of its steps. Plain data: it crosses to another thread. */
export interface Selection<Name extends CollectionName = CollectionName> {
  readonly collection: Name
  /** By name, of `filterNames`; another name is ignored. */
  readonly filters: Readonly<Partial<Record<string, string>>>
  /** Made at or after, Unix milliseconds. */
  readonly createdFromMs: number | null
  /** Made before. */
  readonly createdBeforeMs: number | null
  /** Statuses that depend on the clock are those of this moment, Unix milliseconds. */
  readonly nowMs: number
}

export interface ScanRequest<Name extends CollectionName = CollectionName> extends Selection<Name> {
  readonly direction: 'newest_first' | 'oldest_first'
  /** Where to go on: the id of an object, which is left out. Null: at the end that `direction` begins with. */
  readonly after: string | null
  /** Rows to look at. */
  readonly rowsMax: number
  /** Rows to return. */
  readonly matchesMax: number
}

export interface ScanStep<Row> {
  /** In the order of `direction`. */
  readonly rows: readonly Row[]
  /** The last row looked at: where the next step goes on. Null when there is nothing behind it. */
  readonly scannedTo: string | null
}
