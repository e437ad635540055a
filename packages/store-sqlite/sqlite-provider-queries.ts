import { openReader } from './open.ts'
import { checkoutColumns, toCheckout } from './provider-rows.ts'
import { refundColumns, toRefund } from './rows.ts'
import type { Checkout } from '@penstock/domain/checkout.ts'
import type { ProviderName } from '@penstock/domain/provider-fact.ts'
import type { Refund } from '@penstock/domain/refund.ts'
import type { Place, ProviderQueries, RefundDue } from '@penstock/store/provider-queries.ts'
import type { Database as Connection, Statement } from 'better-sqlite3'
import type { CheckoutRow } from './provider-rows.ts'
import type { RefundRow } from './rows.ts'

/** The statements, so that a test can ask SQLite how it runs them. INDEXED BY: without it a scan is one guess away. */
export const providerStatements = {
  refundDue: `SELECT seq, object_id AS paymentId FROM event INDEXED BY event_refund_due
    WHERE type = 'payment.refund_due' AND seq > ? ORDER BY seq LIMIT ?`,
  hasRefund: 'SELECT 1 FROM refund WHERE payment_id = ? LIMIT 1',
  pendingRefunds: `SELECT ${refundColumns} FROM refund INDEXED BY refund_pending
    WHERE status = 'pending' AND (created_ms, id) > (?, ?) ORDER BY created_ms, id LIMIT ?`,
  openCheckouts: `SELECT ${checkoutColumns} FROM checkout INDEXED BY checkout_open
    WHERE state = 'open' AND provider = ? AND (created_ms, hold_id) > (?, ?) AND created_ms < ?
    ORDER BY created_ms, hold_id LIMIT ?`,
} as const

/** `ProviderQueries` on a read-only connection of its own. */
export class SqliteProviderQueries implements ProviderQueries {
  readonly #db: Connection
  readonly #refundDue: Statement<[number, number], RefundDue>
  readonly #hasRefund: Statement<[string]>
  readonly #pendingRefunds: Statement<[number, string, number], RefundRow>
  readonly #openCheckouts: Statement<[string, number, string, number, number], CheckoutRow>

  constructor(path: string) {
    const db = openReader(path)
    this.#db = db
    this.#refundDue = db.prepare(providerStatements.refundDue)
    this.#hasRefund = db.prepare(providerStatements.hasRefund)
    this.#pendingRefunds = db.prepare<[number, string, number], RefundRow>(providerStatements.pendingRefunds).raw()
    this.#openCheckouts = db
      .prepare<[string, number, string, number, number], CheckoutRow>(providerStatements.openCheckouts)
      .raw()
  }

  listRefundDue(afterSeq: number, limit: number): readonly RefundDue[] {
    return this.#refundDue.all(afterSeq, limit)
  }

  hasRefund(paymentId: string): boolean {
    return this.#hasRefund.get(paymentId) !== undefined
  }

  listPendingRefunds({ createdMs, id }: Place, limit: number): readonly Refund[] {
    return this.#pendingRefunds.all(createdMs, id, limit).map(toRefund)
  }

  listOpenCheckouts(
    provider: ProviderName,
    { createdMs, id }: Place,
    createdBeforeMs: number,
    limit: number,
  ): readonly Checkout[] {
    return this.#openCheckouts.all(provider, createdMs, id, createdBeforeMs, limit).map(toCheckout)
  }

  close(): void {
    this.#db.close()
  }
}
