import { BulkInsert } from './bulk-insert.ts'
import { RefundSaver } from './save-refunds.ts'
import { WebhookSaver } from './webhook-store.ts'
import { apiKeyColumns, dropColumns, encodeAnswer, encodeFeeRules, encodeScopes, newPaymentColumns } from './rows.ts'
import type { Drop, Sku } from '@penstock/domain/drop.ts'
import type { LedgerEntry } from '@penstock/domain/ledger-entry.ts'
import type { ChangeSet } from '@penstock/store/working-set.ts'
import type { Database as Connection, Statement } from 'better-sqlite3'
import type { SqlValue } from './bulk-insert.ts'
import type { BuyerRows } from './buyer-rows.ts'
import type { DeferredIndex } from './deferred-index.ts'
import type { HoldRows } from './hold-rows.ts'
import type { RowLoader } from './load.ts'
import type { ProviderRows } from './provider-rows.ts'

/**
 * Writes what a batch changed, inside its transaction: one UPDATE per SKU however many units moved, one upsert per
 * ledger account, bulk inserts for the rest. Nothing is written in random order: keys that arrive so go through a deferred
 * index.
 */
export class ChangeSaver {
  readonly #insertDrop: BulkInsert
  readonly #updateDrop: Statement<[SqlValue[]]>
  readonly #raiseLongestHold: Statement<[number]>
  readonly #insertSku: BulkInsert
  readonly #updateSku: Statement<[SqlValue[]]>
  readonly #insertPayment: BulkInsert
  readonly #insertEntry: BulkInsert
  readonly #insertCausedEntry: BulkInsert
  readonly #refunds: RefundSaver
  readonly #providerRows: ProviderRows
  readonly #holdRows: HoldRows
  readonly #buyerRows: BuyerRows
  readonly #webhooks: WebhookSaver
  readonly #addBalance: Statement<[string, string, number]>
  readonly #insertEvent: BulkInsert
  readonly #insertRequest: BulkInsert
  readonly #insertCodeUse: BulkInsert
  readonly #insertApiKey: Statement<[SqlValue[]]>
  readonly #updateApiKey: Statement<[number | null, number | null, number | null, string]>
  readonly #paymentIndex: DeferredIndex
  readonly #requestIndex: DeferredIndex

  constructor(
    db: Connection,
    loader: Pick<RowLoader, 'paymentIndex' | 'requestIndex' | 'providerRows' | 'holdRows' | 'buyerRows'>,
  ) {
    this.#providerRows = loader.providerRows
    this.#holdRows = loader.holdRows
    this.#buyerRows = loader.buyerRows
    this.#paymentIndex = loader.paymentIndex
    this.#requestIndex = loader.requestIndex
    this.#insertDrop = new BulkInsert(db, 'drops', dropColumns)
    this.#updateDrop = db.prepare<[SqlValue[]]>(
      `UPDATE drops SET name = ?, description = ?, image = ?, currency = ?, starts_ms = ?, ends_ms = ?, hold_ttl_ms = ?,
       max_per_customer = ?, late_payment = ?, fees = ?, metadata = ?, phase = ?, created_ms = ? WHERE id = ?`,
    )
    this.#insertSku = new BulkInsert(
      db,
      'sku',
      'id, drop_id, position, name, unit_amount, stock, max_per_order, held, sold',
    )
    this.#raiseLongestHold = db.prepare('UPDATE writer_state SET longest_hold_ms = max(longest_hold_ms, ?)')
    this.#updateSku = db.prepare<[SqlValue[]]>(
      'UPDATE sku SET name = ?, unit_amount = ?, stock = ?, max_per_order = ?, held = ?, sold = ? WHERE id = ?',
    )
    this.#insertPayment = new BulkInsert(db, 'payment', `seq, ${newPaymentColumns}`)
    this.#insertEntry = new BulkInsert(db, 'ledger_entry', entryColumns)
    this.#insertCausedEntry = new BulkInsert(db, 'ledger_entry', `${entryColumns}, cause_id`)
    this.#refunds = new RefundSaver(db)
    this.#webhooks = new WebhookSaver(db)
    this.#addBalance = db.prepare(
      `INSERT INTO ledger_balance (account, currency, balance) VALUES (?, ?, ?)
       ON CONFLICT (account, currency) DO UPDATE SET balance = balance + excluded.balance`,
    )
    this.#insertEvent = new BulkInsert(db, 'event', 'type, object_id, created_ms')
    this.#insertRequest = new BulkInsert(
      db,
      'request',
      'seq, id, fingerprint, answer_kind, answer, created_ms, lasting',
    )
    this.#insertCodeUse = new BulkInsert(db, 'code_use', 'order_id, unit, used_ms')
    this.#insertApiKey = db.prepare<[SqlValue[]]>(
      `INSERT INTO api_key (${apiKeyColumns}, is_bootstrap) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)`,
    )
    this.#updateApiKey = db.prepare('UPDATE api_key SET expires_ms = ?, revoked_ms = ?, last_used_ms = ? WHERE id = ?')
  }

  save(set: ChangeSet): void {
    this.#saveCatalogue(set)
    this.#holdRows.save(set)
    this.#buyerRows.save(set)
    this.#saveMoney(set)
    this.#insertEvent.run(set.outboxEvents.map(({ type, objectId, createdMs }) => [type, objectId, createdMs]))
    this.#refunds.save(set)
    this.#providerRows.save(set)
    this.#saveCodeUses(set)
    this.#saveRequests(set)
    if (set.apiKeys.isChanged) this.#saveApiKeys(set)
    if (set.changedWebhooks !== null) this.#webhooks.save(set.changedWebhooks)
  }

  /** After the commit: the indexes learn what `save` wrote. */
  committed(set: ChangeSet): void {
    this.#paymentIndex.committed(set.payments.inserted.keys())
    this.#requestIndex.committed(set.requests.inserted.keys())
    this.#providerRows.committed(set)
    this.#holdRows.committed(set)
    this.#buyerRows.committed(set)
  }

  rolledBack(): void {
    this.#paymentIndex.rolledBack()
    this.#requestIndex.rolledBack()
    this.#holdRows.rolledBack()
    this.#buyerRows.rolledBack()
  }

  #saveCodeUses(set: ChangeSet): void {
    if (!set.codeUses.isChanged) return
    this.#insertCodeUse.run(
      [...set.codeUses.inserted.values()].map(({ orderId, unit, usedMs }) => [orderId, unit, usedMs]),
    )
  }

  #saveRequests(set: ChangeSet): void {
    let seq = this.#requestIndex.lastSeq
    this.#insertRequest.run(
      [...set.requests.inserted.values()].map(({ id, fingerprint, answer, createdMs, lasting }) => [
        ++seq,
        id,
        fingerprint,
        answer.kind,
        encodeAnswer(answer),
        createdMs,
        lasting ? 1 : 0,
      ]),
    )
    this.#requestIndex.merge(set.requests.inserted.size)
  }

  #saveApiKeys(set: ChangeSet): void {
    for (const row of set.apiKeys.inserted.values()) {
      this.#insertApiKey.run([
        row.id,
        row.kind,
        row.name,
        encodeScopes(row.scopes),
        row.secretHash,
        row.hint,
        row.createdMs,
        row.expiresMs,
        row.revokedMs,
        row.lastUsedMs,
      ])
    }
    for (const { id, expiresMs, revokedMs, lastUsedMs } of set.apiKeys.updated.values()) {
      this.#updateApiKey.run(expiresMs, revokedMs, lastUsedMs, id)
    }
  }

  #saveCatalogue(set: ChangeSet): void {
    if (set.drops.isChanged) {
      this.#insertDrop.run([...set.drops.inserted.values()].map((drop) => [drop.id, ...dropValues(drop)]))
      for (const drop of set.drops.updated.values()) this.#updateDrop.run([...dropValues(drop), drop.id])
      for (const drops of [set.drops.inserted, set.drops.updated]) {
        for (const { holdTtlMs } of drops.values()) this.#raiseLongestHold.run(holdTtlMs)
      }
    }
    if (set.skus.inserted.size > 0) {
      this.#insertSku.run([...set.skus.inserted.values()].map((sku) => skuValues(sku, positionOf(set, sku))))
    }
    for (const { id, name, unitAmountMinor, stock, maxPerOrder, held, sold } of set.skus.updated.values()) {
      this.#updateSku.run([name, unitAmountMinor, stock, maxPerOrder, held, sold, id])
    }
  }

  #saveMoney(set: ChangeSet): void {
    let seq = this.#paymentIndex.lastSeq
    this.#insertPayment.run(
      [...set.payments.inserted.values()].map((payment) => [
        ++seq,
        payment.id,
        payment.provider,
        payment.providerPaymentId,
        payment.holdId,
        payment.amountMinor,
        payment.currency,
        payment.status,
        payment.reason,
        payment.createdMs,
      ]),
    )
    this.#paymentIndex.merge(set.payments.inserted.size)
    // Most batches are of payments only, whose entries have no cause but the payment.
    if (set.ledgerEntries.every((entry) => entry.causeId === null)) {
      this.#insertEntry.run(set.ledgerEntries.map(entryValues))
    } else {
      this.#insertCausedEntry.run(set.ledgerEntries.map((entry) => [...entryValues(entry), entry.causeId]))
    }
    for (const [account, currencies] of balanceChanges(set.ledgerEntries)) {
      for (const [currency, change] of currencies) this.#addBalance.run(account, currency, change)
    }
  }
}

const entryColumns = 'payment_id, debit, credit, amount, currency, created_ms'

function entryValues(entry: LedgerEntry): SqlValue[] {
  return [entry.paymentId, entry.debit, entry.credit, entry.amountMinor, entry.currency, entry.createdMs]
}

/** All columns but the id, in the order of `dropColumns`. */
function dropValues(drop: Drop): SqlValue[] {
  return [
    drop.name,
    drop.description,
    drop.image,
    drop.currency,
    drop.startsAtMs,
    drop.endsAtMs,
    drop.holdTtlMs,
    drop.maxPerCustomer,
    drop.latePayment,
    encodeFeeRules(drop.fees),
    JSON.stringify(drop.metadata),
    drop.phase,
    drop.createdMs,
  ]
}

function skuValues(sku: Sku, position: number): SqlValue[] {
  return [sku.id, sku.dropId, position, sku.name, sku.unitAmountMinor, sku.stock, sku.maxPerOrder, sku.held, sku.sold]
}

/** A new SKU comes with its drop, new or updated, in the same set. */
function positionOf(set: ChangeSet, sku: Sku): number {
  const position = set.drops.find(sku.dropId)?.skuIds.indexOf(sku.id) ?? -1
  if (position === -1) throw new Error(`${sku.id} is not listed by its drop ${sku.dropId}`)
  return position
}

/** account → currency → debits minus credits of the batch. */
function balanceChanges(entries: readonly LedgerEntry[]): Map<string, Map<string, number>> {
  const changes = new Map<string, Map<string, number>>()
  const add = (account: string, currency: string, amountMinor: number): void => {
    let byCurrency = changes.get(account)
    if (byCurrency === undefined) changes.set(account, (byCurrency = new Map()))
    byCurrency.set(currency, (byCurrency.get(currency) ?? 0) + amountMinor)
  }
  for (const { debit, credit, amountMinor, currency } of entries) {
    add(debit, currency, amountMinor)
    add(credit, currency, -amountMinor)
  }
  return changes
}
