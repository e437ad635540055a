import { BuyerRows } from './buyer-rows.ts'
import { DeferredIndex } from './deferred-index.ts'
import { HoldRows } from './hold-rows.ts'
import { findDrop } from './find-row.ts'
import { loadApiKeys } from './load-keys.ts'
import { loadMoney } from './load-money.ts'
import { ProviderRows } from './provider-rows.ts'
import { loadLastEventSeq, loadWebhooks } from './webhook-store.ts'
import { paymentColumns, skuColumns, toAnswer, toDrop, toPayment, toSku } from './rows.ts'
import type { Drop, Sku } from '@penstock/domain/drop.ts'
import type { StoredAnswer } from '@penstock/domain/working-set.ts'
import type { ChangeSet, RowSource } from '@penstock/store/working-set.ts'
import type { Database as Connection } from 'better-sqlite3'
import type { PaymentRow, SkuRow } from './rows.ts'
import type { StoreOptions } from './sqlite-store.ts'

/** Drops and SKUs kept in memory; beyond it the memory is forgotten and filled again. */
const cachedRowsMax = 100_000

/** What deferred indexes find rows by, as SQL over the columns of their table. */
export const paymentKeySql = "provider || '/' || provider_payment_id"
export const requestKeySql = 'id'

/**
 * The writer's reads: rows by key, on its own connection and so inside its own transaction. Drops, SKUs and new holds
 * stay in memory between batches, which is safe because this process is the only writer (and is fenced when it is not).
 */
export class RowLoader implements RowSource {
  readonly drops: RowSource['drops']
  readonly skus: RowSource['skus']
  readonly payments: RowSource['payments']
  readonly orderChanges: RowSource['orderChanges']
  readonly orderAliases: RowSource['orderAliases']
  readonly refunds: RowSource['refunds']
  readonly lineRefunds: RowSource['lineRefunds']
  readonly disputes: RowSource['disputes']
  readonly paymentKeys: RowSource['paymentKeys']
  readonly disputeKeys: RowSource['disputeKeys']
  readonly requests: RowSource['requests']
  readonly codeUses: RowSource['codeUses']
  readonly apiKeys: RowSource['apiKeys']
  readonly secretKeyIds: RowSource['secretKeyIds']
  readonly webhooks: RowSource['webhooks']
  readonly lastEventSeq: RowSource['lastEventSeq']
  /** Keyed by `paymentKey(provider, providerPaymentId)`. */
  readonly paymentIndex: DeferredIndex
  readonly requestIndex: DeferredIndex
  readonly holdRows: HoldRows
  readonly providerRows: ProviderRows
  readonly buyerRows: BuyerRows
  readonly #drops = new Map<string, Drop>()
  readonly #skus = new Map<string, Sku>()

  constructor(db: Connection, { indexTailMax, log }: Pick<StoreOptions, 'indexTailMax' | 'log'> = {}) {
    this.paymentIndex = new DeferredIndex(db, { name: 'payment', key: paymentKeySql }, indexTailMax)
    this.requestIndex = new DeferredIndex(db, { name: 'request', key: requestKeySql }, indexTailMax)
    this.holdRows = new HoldRows(db, log)
    this.providerRows = new ProviderRows(db)
    this.buyerRows = new BuyerRows(db, indexTailMax)
    const drop = findDrop(db)
    const skuIds = db.prepare<[string], string>('SELECT id FROM sku WHERE drop_id = ? ORDER BY position').pluck()
    const sku = db.prepare<[string], SkuRow>(`SELECT ${skuColumns} FROM sku WHERE id = ?`).raw()
    const payment = db.prepare<[number], PaymentRow>(`SELECT ${paymentColumns} FROM payment WHERE seq = ?`).raw()
    const money = loadMoney(db)
    this.orderChanges = money.orderChanges
    this.orderAliases = money.orderAliases
    this.refunds = money.refunds
    this.lineRefunds = money.lineRefunds
    this.disputes = money.disputes
    this.paymentKeys = money.paymentKeys
    this.disputeKeys = money.disputeKeys
    this.codeUses = money.codeUses
    this.drops = (id) => {
      const cached = this.#drops.get(id)
      if (cached !== undefined) return cached
      const row = drop.get(id)
      if (row === undefined) return undefined
      const loaded = toDrop(row, skuIds.all(id))
      this.#drops.set(id, loaded)
      return loaded
    }
    this.skus = (id) => {
      const cached = this.#skus.get(id)
      if (cached !== undefined) return cached
      const row = sku.get(id)
      if (row === undefined) return undefined
      const loaded = toSku(row)
      this.#skus.set(id, loaded)
      return loaded
    }
    this.payments = (key) => {
      const seq = this.paymentIndex.find(key)
      const row = seq === undefined ? undefined : payment.get(seq)
      return row && toPayment(row)
    }
    this.requests = loadRequests(db, this.requestIndex)
    const keys = loadApiKeys(db)
    this.apiKeys = keys.apiKeys
    this.secretKeyIds = keys.secretKeyIds
    this.webhooks = loadWebhooks(db)
    this.lastEventSeq = loadLastEventSeq(db)
  }

  get indexes(): readonly DeferredIndex[] {
    return [this.paymentIndex, this.requestIndex, this.buyerRows.index]
  }

  /** Ends the threads that read for it. */
  close(): void {
    for (const index of this.indexes) index.close()
  }

  holdsDue(nowMs: number, max: number): readonly string[] {
    return this.holdRows.due.list(nowMs, max)
  }

  get holds(): RowSource['holds'] {
    return this.holdRows.holds
  }

  get buyers(): RowSource['buyers'] {
    return this.buyerRows.buyers
  }

  get waitingFacts(): RowSource['waitingFacts'] {
    return this.providerRows.waitingFacts
  }

  get checkouts(): RowSource['checkouts'] {
    return this.providerRows.checkouts
  }

  get waitingFactKeys(): RowSource['waitingFactKeys'] {
    return this.providerRows.waitingFactKeys
  }

  /** After a commit, and only then: the rows in memory become the committed ones. */
  keep({ drops, skus }: ChangeSet): void {
    if (this.#drops.size + this.#skus.size > cachedRowsMax) {
      this.#drops.clear()
      this.#skus.clear()
    }
    for (const rows of [drops.inserted, drops.updated]) for (const drop of rows.values()) this.#drops.set(drop.id, drop)
    for (const rows of [skus.inserted, skus.updated]) for (const sku of rows.values()) this.#skus.set(sku.id, sku)
  }
}

function loadRequests(db: Connection, index: DeferredIndex): RowSource['requests'] {
  const request = db
    .prepare<[number], readonly [string, StoredAnswer['kind'], string, number, number]>(
      'SELECT fingerprint, answer_kind, answer, created_ms, lasting FROM request WHERE seq = ?',
    )
    .raw()
  return (id) => {
    const seq = index.find(id)
    const row = seq === undefined ? undefined : request.get(seq)
    if (row === undefined) return undefined
    const [fingerprint, kind, answer, createdMs, lasting] = row
    return { id, fingerprint, answer: toAnswer(kind, answer), createdMs, lasting: lasting === 1 }
  }
}
