import { disputeKey } from '@penstock/domain/dispute.ts'
import { paidHoldId, paymentKey } from '@penstock/domain/payment.ts'
import type { ApiKey } from '@penstock/domain/api-key.ts'
import { lineRefundKey } from '@penstock/domain/refund.ts'
import { FatalStoreError, noChanges } from '@penstock/store/store.ts'
import { ChangeSet } from '@penstock/store/working-set.ts'
import type { CodeUse } from '@penstock/domain/code.ts'
import type { Checkout } from '@penstock/domain/checkout.ts'
import type { BuyerUnits } from '@penstock/domain/customer.ts'
import type { Dispute } from '@penstock/domain/dispute.ts'
import type { Drop, Sku } from '@penstock/domain/drop.ts'
import type { Hold } from '@penstock/domain/hold.ts'
import type { LedgerEntry } from '@penstock/domain/ledger-entry.ts'
import { orderOf } from '@penstock/domain/order.ts'
import type { Order, OrderChange } from '@penstock/domain/order.ts'
import type { OutboxEvent } from '@penstock/domain/outbox-event.ts'
import type { Payment } from '@penstock/domain/payment.ts'
import type { WaitingFact } from '@penstock/domain/provider-fact.ts'
import type { LineRefund, Refund } from '@penstock/domain/refund.ts'
import type { WebhookDelivery, WebhookEndpoint, WebhookSecrets } from '@penstock/domain/webhook.ts'
import type { RequestRecord, WorkingSet } from '@penstock/domain/working-set.ts'
import type { Committed, Store } from '@penstock/store/store.ts'
import type { RowSource } from '@penstock/store/working-set.ts'

/** What a database keeps. Rows are never changed in place. */
export class MemoryData {
  epoch = 0
  seq = 0
  nowMs = 0
  readonly drops = new Map<string, Drop>()
  readonly skus = new Map<string, Sku>()
  readonly holds = new Map<string, Hold>()
  readonly payments = new Map<string, Payment>()
  readonly orderChanges = new Map<string, OrderChange>()
  readonly refunds = new Map<string, Refund>()
  readonly lineRefunds = new Map<string, LineRefund>()
  readonly disputes = new Map<string, Dispute>()
  readonly waitingFacts = new Map<string, WaitingFact>()
  readonly checkouts = new Map<string, Checkout>()
  readonly buyers = new Map<string, BuyerUnits>()
  readonly codeUses = new Map<string, CodeUse>()
  readonly requests = new Map<string, RequestRecord>()
  readonly apiKeys = new Map<string, ApiKey>()
  readonly webhooks = {
    endpoints: new Map<string, WebhookEndpoint>(),
    secrets: new Map<string, WebhookSecrets>(),
    deliveries: new Map<string, WebhookDelivery>(),
  }
  readonly entries: LedgerEntry[] = []
  readonly events: OutboxEvent[] = []
  /** `account currency` → debits minus credits, added to with each entry. */
  readonly balances = new Map<string, number>()

  /** By id. */
  orders(): ReadonlyMap<string, Order> {
    const orders = [...this.payments.values()].flatMap((payment): Order[] => {
      const hold = this.holds.get(paidHoldId(payment))
      const order = hold === undefined ? null : orderOf(payment, hold, this.orderChanges.get(payment.id))
      return order === null ? [] : [order]
    })
    return new Map(orders.map((order) => [order.id, order]))
  }

  /** Everything a buyer or seller could ever notice, to compare two histories: not how often was committed. */
  snapshot(): unknown {
    const { drops, skus, holds, payments, orderChanges, refunds, lineRefunds, disputes } = this
    const { buyers, codeUses, requests, apiKeys, entries, balances, events, webhooks } = this
    const { waitingFacts, checkouts } = this
    const money = { payments, orderChanges, refunds, lineRefunds, disputes, waitingFacts, checkouts, entries, balances }
    return structuredClone({ drops, skus, holds, buyers, codeUses, requests, apiKeys, events, webhooks, ...money })
  }
}

/** The store contract without a disk: fast enough to try thousands of sales. */
export class MemoryStore implements Store {
  readonly epoch: number
  readonly data: MemoryData
  readonly #source: RowSource

  constructor(data: MemoryData) {
    data.epoch += 1
    this.epoch = data.epoch
    this.data = data
    this.#source = {
      drops: (id) => data.drops.get(id),
      skus: (id) => data.skus.get(id),
      holds: (id) => data.holds.get(id),
      payments: (key) => data.payments.get(key),
      orderChanges: (paymentId) => data.orderChanges.get(paymentId),
      orderAliases: () => undefined,
      refunds: (id) => data.refunds.get(id),
      lineRefunds: (key) => data.lineRefunds.get(key),
      disputes: (key) => data.disputes.get(key),
      paymentKeys: (id) => keyOf(data.payments, id),
      disputeKeys: (id) => keyOf(data.disputes, id),
      waitingFacts: (key) => data.waitingFacts.get(key),
      checkouts: (key) => data.checkouts.get(key),
      waitingFactKeys: (key) => listWaiting(data, key),
      buyers: (id) => data.buyers.get(id),
      codeUses: (key) => data.codeUses.get(key),
      requests: (id) => data.requests.get(id),
      apiKeys: (id) => data.apiKeys.get(id),
      secretKeyIds: () => listSecretKeyIds(data),
      holdsDue: (nowMs, max) => listHoldsDue(data, nowMs, max),
      webhooks: {
        endpoints: (id) => data.webhooks.endpoints.get(id),
        secrets: (id) => data.webhooks.secrets.get(id),
        deliveries: (key) => data.webhooks.deliveries.get(key),
        endpointIds: () => listEndpointIds(data),
      },
      lastEventSeq: () => data.events.length,
    }
  }

  get seq(): number {
    return this.data.seq
  }

  get lastNowMs(): number {
    return this.data.nowMs
  }

  transact<T>(nowMs: number, decideAll: (set: WorkingSet) => T): Committed<T> {
    const set = new ChangeSet(this.#source)
    const value = decideAll(set)
    if (this.epoch !== this.data.epoch) throw new FatalStoreError('fenced', 'a newer writer has taken over')
    if (!set.isChanged) return { value, seq: this.seq, changes: noChanges }
    check(this.data, set)
    save(this.data, set)
    this.data.seq += 1
    this.data.nowMs = nowMs
    const skus = [...set.skus.inserted.values(), ...set.skus.updated.values()]
    const dropIds = [...set.drops.inserted.keys(), ...set.drops.updated.keys()]
    return { value, seq: this.seq, changes: { skus, dropIds, apiKeysChanged: set.apiKeys.isChanged } }
  }

  maintain(): void {
    // Nothing to keep in order.
  }

  close(): void {
    // Nothing to close.
  }
}

function keyOf(rows: ReadonlyMap<string, { readonly id: string }>, id: string): string | undefined {
  for (const [key, row] of rows) if (row.id === id) return key
  return undefined
}

function listWaiting(data: MemoryData, key: string): readonly string[] {
  return [...data.waitingFacts].flatMap(([id, { provider, fact, isWaiting }]) =>
    isWaiting && paymentKey(provider, fact.providerPaymentId) === key ? [id] : [],
  )
}

function listHoldsDue(data: MemoryData, nowMs: number, max: number): readonly string[] {
  return [...data.holds.values()]
    .filter((hold) => hold.status === 'active' && hold.expiresMs <= nowMs)
    .toSorted((a, b) => a.expiresMs - b.expiresMs || (a.id < b.id ? -1 : 1))
    .slice(0, max)
    .map((hold) => hold.id)
}

function listSecretKeyIds(data: MemoryData): readonly string[] {
  const keys = [...data.apiKeys.values()]
  return keys.filter(({ kind, revokedMs }) => kind === 'secret' && revokedMs === null).map(({ id }) => id)
}

function listEndpointIds({ webhooks }: MemoryData): readonly string[] {
  return [...webhooks.endpoints.values()].filter(({ status }) => status !== 'deleted').map(({ id }) => id)
}

/** The constraints of the schema: before anything is saved, so that a refusal leaves nothing behind. */
function check(data: MemoryData, set: ChangeSet): void {
  for (const { id, stock, held, sold } of [...set.skus.inserted.values(), ...set.skus.updated.values()]) {
    if (held < 0 || sold < 0 || held + sold > stock) throw new Error(`${id}: held ${held}, sold ${sold} of ${stock}`)
  }
  const paymentIds = new Set([...data.payments.values()].map((payment) => payment.id))
  for (const { id } of set.payments.inserted.values()) {
    if (paymentIds.has(id)) throw new Error(`payment ${id} exists`)
    paymentIds.add(id)
  }
  for (const row of [...set.payments.inserted.values(), ...set.payments.updated.values()]) {
    const { id, amountMinor, refundedMinor, disputedMinor, lostMinor } = row
    const isSound = refundedMinor >= 0 && disputedMinor >= lostMinor && lostMinor >= 0
    if (!isSound || refundedMinor + disputedMinor > amountMinor) throw new Error(`${id} gives back more than it has`)
  }
  for (const row of [...set.lineRefunds.inserted.values(), ...set.lineRefunds.updated.values()]) {
    const { orderId, paidQuantity, refundedQuantity, restockedQuantity } = row
    const isSound = restockedQuantity >= 0 && restockedQuantity <= refundedQuantity && refundedQuantity <= paidQuantity
    if (!isSound) throw new Error(`${orderId} gives back more units than it has`)
  }
  const hashes = new Set([...data.apiKeys.values()].map(({ secretHash }) => secretHash))
  for (const { id, secretHash } of set.apiKeys.inserted.values()) {
    if (hashes.has(secretHash)) throw new Error(`the hash of ${id} exists`)
    hashes.add(secretHash)
  }
}

function save(data: MemoryData, set: ChangeSet): void {
  for (const row of [...set.drops.inserted.values(), ...set.drops.updated.values()]) data.drops.set(row.id, row)
  for (const row of [...set.skus.inserted.values(), ...set.skus.updated.values()]) data.skus.set(row.id, row)
  for (const row of [...set.holds.inserted.values(), ...set.holds.updated.values()]) data.holds.set(row.id, row)
  for (const row of [...set.buyers.inserted.values(), ...set.buyers.updated.values()]) data.buyers.set(row.id, row)
  for (const row of [...set.payments.inserted.values(), ...set.payments.updated.values()]) {
    data.payments.set(paymentKey(row.provider, row.providerPaymentId), row)
  }
  for (const row of [...set.orderChanges.inserted.values(), ...set.orderChanges.updated.values()]) {
    data.orderChanges.set(row.paymentId, row)
  }
  for (const row of [...set.refunds.inserted.values(), ...set.refunds.updated.values()]) data.refunds.set(row.id, row)
  for (const row of [...set.lineRefunds.inserted.values(), ...set.lineRefunds.updated.values()]) {
    data.lineRefunds.set(lineRefundKey(row.orderId, row.skuId), row)
  }
  for (const row of [...set.disputes.inserted.values(), ...set.disputes.updated.values()]) {
    data.disputes.set(disputeKey(row.provider, row.providerDisputeId), row)
  }
  for (const [key, row] of [...set.waitingFacts.inserted, ...set.waitingFacts.updated]) data.waitingFacts.set(key, row)
  for (const [key, row] of [...set.checkouts.inserted, ...set.checkouts.updated]) data.checkouts.set(key, row)
  for (const [key, row] of set.codeUses.inserted) data.codeUses.set(key, row)
  for (const row of set.requests.inserted.values()) data.requests.set(row.id, row)
  data.events.push(...set.outboxEvents)
  for (const row of [...set.apiKeys.inserted.values(), ...set.apiKeys.updated.values()]) data.apiKeys.set(row.id, row)
  for (const name of ['endpoints', 'secrets', 'deliveries'] as const) {
    const [kept, changed] = [data.webhooks[name] as Map<string, unknown>, set.webhooks[name]]
    for (const rows of [changed.inserted, changed.updated]) for (const [key, row] of rows) kept.set(key, row)
  }
  for (const entry of set.ledgerEntries) {
    data.entries.push(entry)
    add(data.balances, `${entry.debit} ${entry.currency}`, entry.amountMinor)
    add(data.balances, `${entry.credit} ${entry.currency}`, -entry.amountMinor)
  }
}

function add(balances: Map<string, number>, account: string, change: number): void {
  balances.set(account, (balances.get(account) ?? 0) + change)
}
