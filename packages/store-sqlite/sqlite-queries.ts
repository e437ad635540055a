import { idsOfNumber } from '@penstock/domain/id-number.ts'
import { webhookDeliverySeq } from '@penstock/domain/webhook.ts'
import { findApiKey, findDrop, findRefund } from './find-row.ts'
import { openReader } from './open.ts'
import {
  apiKeyColumns,
  decodeScopes,
  disputeColumns,
  dropColumns,
  holdColumns,
  orderFactsColumns,
  orderFactsJoin,
  paymentColumns,
  paymentOfOrder,
  skuColumns,
  toApiKey,
  toDispute,
  toDrop,
  toHold,
  toOrderFacts,
  toPayment,
  toRefund,
  toSku,
} from './rows.ts'
import { findCheckout, toCheckout } from './provider-rows.ts'
import { RequestIds } from './request-ids.ts'
import type { Checkout } from '@penstock/domain/checkout.ts'
import { endpointColumns, numberedDeliveryColumns, toEndpoint, toNumberedDelivery } from './webhook-rows.ts'
import type { ApiKey } from '@penstock/domain/api-key.ts'
import type { Dispute } from '@penstock/domain/dispute.ts'
import type { CodeUse } from '@penstock/domain/code.ts'
import type { Hold } from '@penstock/domain/hold.ts'
import type { OrderFacts } from '@penstock/domain/order.ts'
import type { Payment } from '@penstock/domain/payment.ts'
import type { WebhookEndpoint } from '@penstock/domain/webhook.ts'
import type { NumberedDelivery } from '@penstock/store/scanner.ts'
import type { EndpointRow } from './webhook-rows.ts'
import type { Refund } from '@penstock/domain/refund.ts'
import type { Balance, CatalogueSnapshot, Credential, DropWithSkus, Page, Queries } from '@penstock/store/queries.ts'
import type { Database as Connection, Statement } from 'better-sqlite3'
import type { CheckoutRow } from './provider-rows.ts'
import type { ApiKeyRow, DisputeRow, DropRow, HoldRow, PaymentRow, RefundRow, SkuRow } from './rows.ts'

type CredentialRow = readonly [string, Credential['kind'], string, number | null]

/** `Queries` on this process's own read-only connection. Statements are prepared once and never left open. */
export class SqliteQueries implements Queries {
  readonly #db: Connection
  readonly #seq: Statement<[], number>
  readonly #drops: Statement<[], DropRow>
  readonly #skus: Statement<[string], SkuRow>
  readonly #hold: Statement<[string], HoldRow>
  readonly #holdsBetween: Statement<[string, string], HoldRow>
  readonly #order: Statement<[{ readonly id: string }], unknown[]>
  readonly #payment: Statement<[string], PaymentRow>
  readonly #dropName: Statement<[string], string>
  readonly #checkout: Statement<[string, string], CheckoutRow>
  readonly #refund: Statement<[string], RefundRow>
  readonly #dispute: Statement<[string], DisputeRow>
  readonly #balances: Statement<[], Balance>
  readonly #codeUses: Statement<[string], CodeUse>
  readonly #credential: Statement<[string], CredentialRow>
  readonly #apiKey: Statement<[string], ApiKeyRow>
  readonly #apiKeysNewest: Statement<[number], ApiKeyRow>
  readonly #apiKeysBefore: Statement<[string, number], ApiKeyRow>
  readonly #apiKeysAfter: Statement<[string, number], ApiKeyRow>
  readonly #drop: Statement<[string], DropRow>
  readonly #endpoint: Statement<[string], EndpointRow>
  readonly #endpoints: Statement<[], EndpointRow>
  readonly #delivery: Statement<[number], unknown[]>
  readonly #requestIds: RequestIds
  readonly #lastEventSeq: Statement<[], number>
  readonly #eventCreatedAt: Statement<[number], number>

  constructor(path: string) {
    const db = openReader(path)
    this.#db = db
    this.#seq = db.prepare<[], number>('SELECT seq FROM writer_state').pluck()
    this.#drops = db.prepare<[], DropRow>(`SELECT ${dropColumns} FROM drops ORDER BY id`).raw()
    this.#dropName = db.prepare<[string], string>('SELECT name FROM drops WHERE id = ?').pluck()
    this.#checkout = findCheckout(db)
    this.#skus = db.prepare<[string], SkuRow>(`SELECT ${skuColumns} FROM sku WHERE drop_id = ? ORDER BY position`).raw()
    this.#hold = db.prepare<[string], HoldRow>(`SELECT ${holdColumns} FROM hold WHERE id = ?`).raw()
    this.#holdsBetween = db
      .prepare<[string, string], HoldRow>(`SELECT ${holdColumns} FROM hold WHERE id >= ? AND id < ? LIMIT 2`)
      .raw()
    this.#order = db
      .prepare<[{ readonly id: string }], unknown[]>(
        `SELECT ${orderFactsColumns} FROM payment p ${orderFactsJoin} WHERE p.id = ${paymentOfOrder('@id')} AND o.id = @id`,
      )
      .raw()
    this.#payment = db.prepare<[string], PaymentRow>(`SELECT ${paymentColumns} FROM payment WHERE id = ?`).raw()
    this.#refund = findRefund(db)
    this.#dispute = db.prepare<[string], DisputeRow>(`SELECT ${disputeColumns} FROM dispute WHERE id = ?`).raw()
    this.#balances = db.prepare<[], Balance>(
      'SELECT account, currency, balance AS balanceMinor FROM ledger_balance ORDER BY account, currency',
    )
    this.#codeUses = db.prepare<[string], CodeUse>(
      'SELECT order_id AS orderId, unit, used_ms AS usedMs FROM code_use WHERE order_id = ? ORDER BY unit',
    )
    this.#credential = db
      .prepare<[string], CredentialRow>(
        'SELECT id, kind, scopes, expires_ms FROM api_key WHERE secret_hash = ? AND revoked_ms IS NULL',
      )
      .raw()
    const apiKey = `SELECT ${apiKeyColumns} FROM api_key`
    this.#apiKey = findApiKey(db)
    this.#apiKeysNewest = db.prepare<[number], ApiKeyRow>(`${apiKey} ORDER BY id DESC LIMIT ?`).raw()
    this.#apiKeysBefore = db
      .prepare<[string, number], ApiKeyRow>(`${apiKey} WHERE id < ? ORDER BY id DESC LIMIT ?`)
      .raw()
    this.#apiKeysAfter = db.prepare<[string, number], ApiKeyRow>(`${apiKey} WHERE id > ? ORDER BY id LIMIT ?`).raw()
    this.#drop = findDrop(db)
    const endpoint = `SELECT ${endpointColumns} FROM webhook_endpoint WHERE status <> 'deleted'`
    this.#endpoint = db.prepare<[string], EndpointRow>(`${endpoint} AND id = ?`).raw()
    this.#endpoints = db.prepare<[], EndpointRow>(`${endpoint} ORDER BY id`).raw()
    this.#delivery = db
      .prepare<[number], unknown[]>(`SELECT ${numberedDeliveryColumns} FROM webhook_delivery d WHERE d.seq = ?`)
      .raw()
    this.#requestIds = new RequestIds(db)
    this.#lastEventSeq = db.prepare<[], number>('SELECT coalesce(max(seq), 0) FROM event').pluck()
    this.#eventCreatedAt = db.prepare<[number], number>('SELECT created_ms FROM event WHERE seq = ?').pluck()
  }

  readSeq(): number {
    return this.#seq.get() ?? 0
  }

  listDrops(): CatalogueSnapshot {
    const read = this.#db.transaction(() => ({
      seq: this.readSeq(),
      drops: this.#drops.all().map((row) => this.#withSkus(row)),
    }))
    return read()
  }

  findHold(id: string): Hold | null {
    const row = this.#hold.get(id)
    return row === undefined ? null : toHold(row)
  }

  findHoldByNumber(number: number): Hold | null {
    const ids = idsOfNumber('hold', number)
    if (ids === null) return null
    const [row, other] = this.#holdsBetween.all(ids.from, ids.before)
    return row === undefined || other !== undefined ? null : toHold(row)
  }

  findOrder(id: string): OrderFacts | null {
    const row = this.#order.get({ id })
    return row === undefined ? null : toOrderFacts(row)
  }

  findDropName(dropId: string): string | null {
    return this.#dropName.get(dropId) ?? null
  }

  findCheckout(holdId: string, provider: string): Checkout | null {
    const row = this.#checkout.get(holdId, provider)
    return row === undefined ? null : toCheckout(row)
  }

  findPayment(id: string): Payment | null {
    const row = this.#payment.get(id)
    return row === undefined ? null : toPayment(row)
  }

  findRefund(id: string): Refund | null {
    const row = this.#refund.get(id)
    return row === undefined ? null : toRefund(row)
  }

  findDispute(id: string): Dispute | null {
    const row = this.#dispute.get(id)
    return row === undefined ? null : toDispute(row)
  }

  listBalances(): readonly Balance[] {
    return this.#balances.all()
  }

  listCodeUses(orderId: string): readonly CodeUse[] {
    return this.#codeUses.all(orderId)
  }

  findCredential(secretHash: string): Credential | null {
    const row = this.#credential.get(secretHash)
    return row === undefined ? null : { id: row[0], kind: row[1], scopes: decodeScopes(row[2]), expiresMs: row[3] }
  }

  findApiKey(id: string): ApiKey | null {
    const row = this.#apiKey.get(id)
    return row === undefined ? null : toApiKey(row)
  }

  listApiKeys({ limit, startingAfter, endingBefore }: Page): readonly ApiKey[] {
    if (startingAfter !== null) return this.#apiKeysBefore.all(startingAfter, limit).map(toApiKey)
    if (endingBefore !== null) return this.#apiKeysAfter.all(endingBefore, limit).map(toApiKey).toReversed()
    return this.#apiKeysNewest.all(limit).map(toApiKey)
  }

  findDrop(id: string): DropWithSkus | null {
    const row = this.#drop.get(id)
    return row === undefined ? null : this.#withSkus(row)
  }

  findWebhookEndpoint(id: string): WebhookEndpoint | null {
    const row = this.#endpoint.get(id)
    return row === undefined ? null : toEndpoint(row)
  }

  listWebhookEndpoints(): readonly WebhookEndpoint[] {
    return this.#endpoints.all().map(toEndpoint)
  }

  findWebhookDelivery(id: string): NumberedDelivery | null {
    const seq = webhookDeliverySeq(id)
    const row = seq === null ? undefined : this.#delivery.get(seq)
    return row === undefined ? null : toNumberedDelivery(row)
  }

  mayRemember(requestId: string): boolean {
    return this.#requestIds.mayHave(requestId)
  }

  lastEventSeq(): number {
    return this.#lastEventSeq.get() ?? 0
  }

  /** By halving: numbers have no gaps, and follow the time. */
  firstEventSeqAt(ms: number): number {
    let [low, high] = [1, this.lastEventSeq() + 1]
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      if ((this.#eventCreatedAt.get(middle) ?? ms) >= ms) high = middle
      else low = middle + 1
    }
    return low
  }

  close(): void {
    this.#db.close()
  }

  #withSkus(row: DropRow): DropWithSkus {
    const skus = this.#skus.all(row[0]).map(toSku)
    return {
      drop: toDrop(
        row,
        skus.map((sku) => sku.id),
      ),
      skus,
    }
  }
}
