import { factKey } from '@penstock/domain/provider-fact.ts'
import { paymentKey } from '@penstock/domain/payment.ts'
import { waitingFactsMax } from '@penstock/domain/limits.ts'
import { BulkInsert } from './bulk-insert.ts'
import type { Checkout } from '@penstock/domain/checkout.ts'
import type { LaterFact, WaitingFact } from '@penstock/domain/provider-fact.ts'
import type { ChangeSet, RowSource } from '@penstock/store/working-set.ts'
import type { Database as Connection, Statement } from 'better-sqlite3'

export const checkoutColumns =
  'hold_id, provider, provider_payment_id, amount, currency, url, client_secret, created_ms, expires_ms, state'

export type CheckoutRow = readonly [
  string,
  Checkout['provider'],
  string,
  number,
  Checkout['currency'],
  string | null,
  string | null,
  number,
  number,
  Checkout['state'],
]

/** Field order is part of the IPC format: keep it. */
export function toCheckout(row: CheckoutRow): Checkout {
  return {
    holdId: row[0],
    provider: row[1],
    providerPaymentId: row[2],
    amountMinor: row[3],
    currency: row[4],
    url: row[5],
    clientSecret: row[6],
    createdMs: row[7],
    expiresMs: row[8],
    state: row[9],
  }
}

export function findCheckout(db: Connection): Statement<[holdId: string, provider: string], CheckoutRow> {
  const sql = `SELECT ${checkoutColumns} FROM checkout WHERE hold_id = ? AND provider = ?`
  return db.prepare<[string, string], CheckoutRow>(sql).raw()
}

type FactRow = readonly [provider: string, fact: string, objectId: string, createdMs: number, waiting: number]

const factColumns = 'provider, fact, object_id, created_ms, waiting'

function toWaitingFact([provider, fact, objectId, createdMs, waiting]: FactRow): WaitingFact {
  return { provider, fact: JSON.parse(fact) as LaterFact, objectId, createdMs, isWaiting: waiting === 1 }
}

/**
 * The writer's reads and writes for what providers say. Which facts wait for which payment is in memory, so that a
 * capture asks no table: at most `waitingFactsMax`, the newest. Follows commits only.
 */
export class ProviderRows {
  readonly waitingFacts: RowSource['waitingFacts']
  readonly checkouts: RowSource['checkouts']
  /** Payment key → keys of its facts. */
  readonly #waiting = new Map<string, Set<string>>()
  /** Fact key → payment key, the oldest first. */
  readonly #paymentOf = new Map<string, string>()
  readonly #saveFact: BulkInsert
  readonly #insertCheckout: BulkInsert
  readonly #updateCheckout: Statement<[string, string, string]>

  constructor(db: Connection) {
    const fact = db
      .prepare<[string, string], FactRow>(
        `SELECT ${factColumns} FROM waiting_fact WHERE provider = ? AND provider_object_id = ?`,
      )
      .raw()
    const checkout = findCheckout(db)
    // Neither provider names nor hold ids contain what separates the parts of these keys.
    this.waitingFacts = (key) => {
      const row = fact.get(...splitAt(key, '/'))
      return row && toWaitingFact(row)
    }
    this.checkouts = (key) => {
      const row = checkout.get(...splitAt(key, ' '))
      return row && toCheckout(row)
    }
    this.#saveFact = new BulkInsert(
      db,
      'waiting_fact',
      'provider, provider_object_id, fact, object_id, created_ms, waiting',
      `ON CONFLICT (provider, provider_object_id) DO UPDATE SET fact = excluded.fact, object_id = excluded.object_id,
       created_ms = excluded.created_ms, waiting = excluded.waiting`,
    )
    this.#insertCheckout = new BulkInsert(db, 'checkout', checkoutColumns)
    this.#updateCheckout = db.prepare('UPDATE checkout SET state = ? WHERE hold_id = ? AND provider = ?')
    const newest = db
      .prepare<[number], FactRow>(
        `SELECT ${factColumns} FROM waiting_fact WHERE waiting = 1 ORDER BY created_ms DESC LIMIT ?`,
      )
      .raw()
    for (const row of newest.all(waitingFactsMax).toReversed()) this.#follow(toWaitingFact(row))
  }

  /** `RowSource.waitingFactKeys` */
  readonly waitingFactKeys = (key: string): readonly string[] => {
    const keys = this.#waiting.get(key)
    return keys === undefined ? none : [...keys]
  }

  save({ waitingFacts, checkouts }: ChangeSet): void {
    if (waitingFacts.isChanged) {
      this.#saveFact.run(
        [...waitingFacts.inserted, ...waitingFacts.updated].map(([key, row]) => [
          ...splitAt(key, '/'),
          JSON.stringify(row.fact),
          row.objectId,
          row.createdMs,
          row.isWaiting ? 1 : 0,
        ]),
      )
    }
    if (!checkouts.isChanged) return
    this.#insertCheckout.run(
      [...checkouts.inserted.values()].map((row) => [
        row.holdId,
        row.provider,
        row.providerPaymentId,
        row.amountMinor,
        row.currency,
        row.url,
        row.clientSecret,
        row.createdMs,
        row.expiresMs,
        row.state,
      ]),
    )
    for (const { state, holdId, provider } of checkouts.updated.values()) {
      this.#updateCheckout.run(state, holdId, provider)
    }
  }

  /** After the commit. */
  committed({ waitingFacts }: ChangeSet): void {
    if (!waitingFacts.isChanged) return
    for (const rows of [waitingFacts.inserted, waitingFacts.updated]) for (const row of rows.values()) this.#follow(row)
  }

  #follow({ provider, fact, isWaiting }: WaitingFact): void {
    const key = factKey(provider, fact)
    this.#forget(key)
    if (!isWaiting) return
    const payment = paymentKey(provider, fact.providerPaymentId)
    const keys = this.#waiting.get(payment)
    if (keys === undefined) this.#waiting.set(payment, new Set([key]))
    else keys.add(key)
    this.#paymentOf.set(key, payment)
    if (this.#paymentOf.size <= waitingFactsMax) return
    for (const oldest of this.#paymentOf.keys()) return this.#forget(oldest)
  }

  #forget(key: string): void {
    const payment = this.#paymentOf.get(key)
    if (payment === undefined) return
    this.#paymentOf.delete(key)
    const keys = this.#waiting.get(payment)
    keys?.delete(key)
    if (keys?.size === 0) this.#waiting.delete(payment)
  }
}

const none: readonly string[] = []

/** The two parts of a key around its first separator. */
function splitAt(key: string, separator: string): [string, string] {
  const at = key.indexOf(separator)
  return [key.slice(0, at), key.slice(at + 1)]
}
