import { buyerKeys, buyerUnitsId, isErased } from '@penstock/domain/customer.ts'
import { paymentKey } from '@penstock/domain/payment.ts'
import { paymentIdOf } from '@penstock/domain/order.ts'
import { isRejected } from '@penstock/domain/result.ts'
import { decide } from './decide.ts'
import { findOrder } from './order-facts.ts'
import type {
  AttachPayment,
  CancelOrder,
  CapturePayment,
  ChangeDropPhase,
  CloseCheckout,
  Command,
  CreateDrop,
  CreateHold,
  CreateRefund,
  FulfilOrder,
  OpenCheckout,
  OpenDispute,
  TakeFact,
  CreateKey,
  CreateWebhookEndpoint,
  RecordWebhookOutcomes,
  ReplayWebhookEvents,
  RequestKey,
  RestockSku,
  RetryWebhookDelivery,
  RollKey,
  RotateWebhookSecret,
  UpdateDrop,
  UpdateWebhookEndpoint,
} from '@penstock/domain/command.ts'
import type { CodeUse } from '@penstock/domain/code.ts'
import type { ApiKey } from '@penstock/domain/api-key.ts'
import type { Checkout } from '@penstock/domain/checkout.ts'
import type { BuyerUnits, Customer } from '@penstock/domain/customer.ts'
import type { Dispute } from '@penstock/domain/dispute.ts'
import type { Drop, DropAction, Sku } from '@penstock/domain/drop.ts'
import type { Hold } from '@penstock/domain/hold.ts'
import type { LedgerEntry } from '@penstock/domain/ledger-entry.ts'
import type { Order, OrderChange } from '@penstock/domain/order.ts'
import type { OutboxEvent } from '@penstock/domain/outbox-event.ts'
import type { Payment } from '@penstock/domain/payment.ts'
import type { DisputeFact, RefundFact, WaitingFact } from '@penstock/domain/provider-fact.ts'
import type { LineRefund, Refund } from '@penstock/domain/refund.ts'
import type { Accepted, Result } from '@penstock/domain/result.ts'
import type { WebhookDelivery, WebhookEndpoint, WebhookOutcome, WebhookSecrets } from '@penstock/domain/webhook.ts'
import type { RequestRecord, Rows, WebhookRows, WorkingSet } from '@penstock/domain/working-set.ts'

/** Ids of `openSale`. */
export const dropId = 'drop_1'
export const shoe = 'sku_shoe'
export const sock = 'sku_sock'

export const startMs = 1_700_000_000_000
export const ttlMs = 600_000

/** One table in memory. Rows are frozen, so a decision that changes one in place throws. */
class MemoryRows<Row> implements Rows<Row> {
  readonly rows = new Map<string, Row>()
  writes = 0

  find(key: string): Row | undefined {
    return this.rows.get(key)
  }

  insert(key: string, row: Row): void {
    if (this.rows.has(key)) throw new Error(`row ${key} is inserted twice`)
    this.#write(key, row)
  }

  update(key: string, row: Row): void {
    if (!this.rows.has(key)) throw new Error(`row ${key} is updated but does not exist`)
    this.#write(key, row)
  }

  #write(key: string, row: Row): void {
    this.writes += 1
    this.rows.set(key, deepFreeze(row))
  }
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const part of Object.values(value)) deepFreeze(part)
  return Object.freeze(value)
}

class MemoryWebhooks implements WebhookRows {
  readonly endpoints = new MemoryRows<WebhookEndpoint>()
  readonly secrets = new MemoryRows<WebhookSecrets>()
  readonly deliveries = new MemoryRows<WebhookDelivery>()

  listEndpoints(): readonly WebhookEndpoint[] {
    return [...this.endpoints.rows.values()].filter(({ status }) => status !== 'deleted')
  }
}

/** A working set in which every change is saved at once, for tables of single decisions. */
export class MemorySet implements WorkingSet {
  readonly drops = new MemoryRows<Drop>()
  readonly skus = new MemoryRows<Sku>()
  readonly holds = new MemoryRows<Hold>()
  readonly payments = new MemoryRows<Payment>()
  readonly orderChanges = new MemoryRows<OrderChange>()
  readonly refunds = new MemoryRows<Refund>()
  readonly lineRefunds = new MemoryRows<LineRefund>()
  readonly disputes = new MemoryRows<Dispute>()
  readonly waitingFacts = new MemoryRows<WaitingFact>()
  readonly checkouts = new MemoryRows<Checkout>()
  readonly buyers = new MemoryRows<BuyerUnits>()
  readonly codeUses = new MemoryRows<CodeUse>()
  readonly requests = new MemoryRows<RequestRecord>()
  readonly apiKeys = new MemoryRows<ApiKey>()
  readonly webhooks = new MemoryWebhooks()
  readonly entries: LedgerEntry[] = []
  readonly ledger = { append: (entry: LedgerEntry): void => void this.entries.push(entry) }
  readonly outbox: OutboxEvent[] = []
  readonly events = { append: (event: OutboxEvent): void => void this.outbox.push(event) }

  lastEventSeq(): number {
    return this.outbox.length
  }

  findPaymentKey(paymentId: string): string | undefined {
    return keyOf(this.payments.rows, paymentId)
  }

  findOrderPaymentKey(orderId: string): string | undefined {
    return this.findPaymentKey(paymentIdOf(orderId))
  }

  findDisputeKey(disputeId: string): string | undefined {
    return keyOf(this.disputes.rows, disputeId)
  }

  listWaitingFacts(key: string): readonly string[] {
    const rows = [...this.waitingFacts.rows]
    return rows.flatMap(([id, { provider, fact, isWaiting }]) =>
      isWaiting && paymentKey(provider, fact.providerPaymentId) === key ? [id] : [],
    )
  }

  listHoldsDue(nowMs: number, max: number): readonly string[] {
    return [...this.holds.rows.values()]
      .filter((hold) => hold.status === 'active' && hold.expiresMs <= nowMs)
      .toSorted((a, b) => a.expiresMs - b.expiresMs)
      .slice(0, max)
      .map((hold) => hold.id)
  }

  listSecretKeys(): readonly ApiKey[] {
    return [...this.apiKeys.rows.values()].filter(({ kind, revokedMs }) => kind === 'secret' && revokedMs === null)
  }

  /** Rows written so far: a refusal must not change it. */
  get writes(): number {
    return this.tables.reduce((sum, table) => sum + table.writes, this.entries.length + this.outbox.length)
  }

  get tables(): readonly { readonly rows: ReadonlyMap<string, unknown>; readonly writes: number }[] {
    const {
      drops,
      skus,
      holds,
      payments,
      orderChanges,
      refunds,
      lineRefunds,
      disputes,
      waitingFacts,
      checkouts,
      buyers,
      codeUses,
      requests,
      apiKeys,
    } = this
    const { endpoints, secrets, deliveries } = this.webhooks
    const facts = [waitingFacts, checkouts]
    const money = [payments, orderChanges, refunds, lineRefunds, disputes, ...facts]
    return [drops, skus, holds, ...money, buyers, codeUses, requests, apiKeys, endpoints, secrets, deliveries]
  }
}

function keyOf(rows: ReadonlyMap<string, { readonly id: string }>, id: string): string | undefined {
  for (const [key, row] of rows) if (row.id === id) return key
  return undefined
}

/** A sale and its clock. */
export class TestSale {
  readonly set = new MemorySet()
  nowMs = startMs

  run(command: Command): Result {
    return decide(this.set, command, this.nowMs)
  }

  /** Runs commands that must be accepted. */
  accept(...commands: readonly Command[]): Accepted | undefined {
    let last: Accepted | undefined
    for (const command of commands) {
      const result = this.run(command)
      if (isRejected(result)) throw new Error(`${command.kind} was refused: ${result.outcome}, ${result.detail}`)
      last = result
    }
    return last
  }

  hold(id: string): Hold {
    return required(this.set.holds.find(id))
  }

  drop(id = dropId): Drop {
    return required(this.set.drops.find(id))
  }

  /** The payment `captureCommand` makes for a hold. */
  payment(holdId: string, provider = 'manual'): Payment {
    return required(this.set.payments.find(`${provider}/paid for ${holdId}`))
  }

  order(id: string): Order {
    return required(findOrder(this.set, id))
  }

  /** Debits minus credits by account; accounts that are even are left out. */
  balances(): Record<string, number> {
    const balances: Record<string, number> = {}
    for (const { debit, credit, amountMinor } of this.set.entries) {
      balances[debit] = (balances[debit] ?? 0) + amountMinor
      balances[credit] = (balances[credit] ?? 0) - amountMinor
    }
    return Object.fromEntries(Object.entries(balances).filter(([, balance]) => balance !== 0))
  }

  /** `[held, sold]` */
  counters(skuId: string): readonly [number, number] {
    const sku = required(this.set.skus.find(skuId))
    return [sku.held, sku.sold]
  }

  /** Units by buyer key, without the drop. */
  buyers(): Record<string, number> {
    const keys = [...this.set.holds.rows.values()].flatMap((hold) => {
      const known = isErased(hold.customer) ? [] : buyerKeys(hold.customer)
      return known.map((key) => [buyerUnitsId(hold.dropId, key), key] as const)
    })
    const names = new Map(keys)
    return Object.fromEntries([...this.set.buyers.rows.values()].map(({ id, units }) => [names.get(id) ?? id, units]))
  }
}

function required<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('the row a test asks for is missing')
  return value
}

/** A published drop: 10 shoes at 100, 5 socks at 25, no limit, holds of ten minutes. */
export function openSale(change: Partial<CreateDrop> = {}): TestSale {
  const sale = new TestSale()
  sale.accept(dropCommand(change), phaseCommand('publish'))
  return sale
}

export function dropCommand(change: Partial<CreateDrop> = {}): CreateDrop {
  return {
    kind: 'create_drop',
    key: null,
    dropId,
    name: 'Shoe',
    description: null,
    image: null,
    currency: 'usd',
    startsAtMs: null,
    endsAtMs: null,
    holdTtlMs: ttlMs,
    maxPerCustomer: null,
    latePayment: 'reacquire',
    fees: [],
    metadata: {},
    skus: [
      { id: shoe, name: 'Shoe', unitAmountMinor: 100, stock: 10, maxPerOrder: null },
      { id: sock, name: 'Sock', unitAmountMinor: 25, stock: 5, maxPerOrder: null },
    ],
    ...change,
  }
}

export function phaseCommand(action: DropAction, id = dropId): ChangeDropPhase {
  return { kind: 'change_drop_phase', key: null, dropId: id, action }
}

export function updateCommand(change: Partial<UpdateDrop> = {}): UpdateDrop {
  return { kind: 'update_drop', key: null, dropId, changes: {}, skuChanges: [], newSkus: [], ...change }
}

let restocks = 0

/** Every restock has a key of its own, as the command demands. */
export function restockCommand(quantity: number, change: Partial<RestockSku> = {}): RestockSku {
  restocks += 1
  return { kind: 'restock_sku', key: requestKey(`restock-${restocks}`), dropId, skuId: shoe, quantity, ...change }
}

export function holdCommand(holdId: string, change: Partial<CreateHold> = {}): CreateHold {
  return {
    kind: 'create_hold',
    key: null,
    holdId,
    clientSecret: `secret of ${holdId}`,
    dropId,
    lines: [{ skuId: shoe, quantity: 1 }],
    customer: customer(`${holdId}@example.com`),
    replace: null,
    ...change,
  }
}

export function releaseCommand(holdId: string, change: { proof?: string | null; key?: RequestKey } = {}): Command {
  return { kind: 'release_hold', key: null, holdId, proof: null, ...change }
}

export const expireCommand: Command = { kind: 'expire_holds', key: null }

/** Pays 100, one shoe, by default. */
export function captureCommand(holdId: string, change: Partial<CapturePayment> = {}): CapturePayment {
  const providerPaymentId = change.providerPaymentId ?? `paid for ${holdId}`
  return {
    kind: 'capture_payment',
    key: null,
    paymentId: `pay_${providerPaymentId}`,
    holdId,
    provider: 'manual',
    providerPaymentId,
    amountMinor: 100,
    currency: 'usd',
    ...change,
  }
}

/** A refund of the payment for hold_1, all of it by default. */
export function refundCommand(refundId: string, change: Partial<CreateRefund> = {}): CreateRefund {
  return {
    kind: 'create_refund',
    key: null,
    refundId,
    paymentId: 'pay_paid for hold_1',
    amountMinor: null,
    lines: null,
    restock: false,
    reason: null,
    ...change,
  }
}

/** A secret key that may do everything and does not expire. */
export function keyCommand(apiKeyId: string, change: Partial<CreateKey> = {}): CreateKey {
  return {
    kind: 'create_key',
    key: null,
    apiKeyId,
    keyKind: 'secret',
    name: null,
    scopes: ['*'],
    secretHash: `hash of ${apiKeyId}`,
    hint: 'sk_test_…wxyz',
    expiresAtMs: null,
    ...change,
  }
}

export function settleCommand(refundId: string, status: 'succeeded' | 'failed'): Command {
  return { kind: 'settle_refund', key: null, refundId, status }
}

/** A dispute of the payment for hold_1, all of it by default. */
export function disputeCommand(disputeId: string, change: Partial<OpenDispute> = {}): OpenDispute {
  return {
    kind: 'open_dispute',
    key: null,
    disputeId,
    paymentId: 'pay_paid for hold_1',
    providerDisputeId: `bank ${disputeId}`,
    amountMinor: null,
    reason: null,
    ...change,
  }
}

/** Stripe says that a refund of 100 of its payment for hold_1 succeeded. */
export function refundFact(providerRefundId: string, change: Partial<RefundFact> = {}): TakeFact {
  const fact: RefundFact = {
    kind: 'refund_updated',
    providerPaymentId: 'paid for hold_1',
    providerRefundId,
    refundId: null,
    amountMinor: 100,
    currency: 'usd',
    status: 'succeeded',
    createdMs: startMs,
    ...change,
  }
  return { kind: 'take_fact', key: null, provider: 'stripe', fact, objectId: `rfnd_of ${providerRefundId}` }
}

/** Stripe says that 100 of its payment for hold_1 are disputed. */
export function disputeFact(providerDisputeId: string, change: Partial<DisputeFact> = {}): TakeFact {
  const fact: DisputeFact = {
    kind: 'dispute_opened',
    providerPaymentId: 'paid for hold_1',
    providerDisputeId,
    amountMinor: 100,
    currency: 'usd',
    reason: 'fraudulent',
    status: 'open',
    createdMs: startMs,
    ...change,
  }
  return { kind: 'take_fact', key: null, provider: 'stripe', fact, objectId: `dsp_of ${providerDisputeId}` }
}

export function checkoutCommand(holdId: string, change: Partial<OpenCheckout> = {}): OpenCheckout {
  return {
    kind: 'open_checkout',
    key: null,
    holdId,
    provider: 'stripe',
    providerPaymentId: `paid for ${holdId}`,
    amountMinor: 100,
    currency: 'usd',
    url: null,
    clientSecret: 'secret of stripe',
    expiresMs: startMs + ttlMs,
    ...change,
  }
}

export function closeCheckoutCommand(holdId: string, change: Partial<CloseCheckout> = {}): CloseCheckout {
  const providerPaymentId = `paid for ${holdId}`
  return { kind: 'close_checkout', key: null, holdId, provider: 'stripe', providerPaymentId, ...change }
}

/** Without overlap. */
export function rollCommand(apiKeyId: string, newApiKeyId: string, change: Partial<RollKey> = {}): RollKey {
  return {
    kind: 'roll_key',
    key: null,
    apiKeyId,
    newApiKeyId,
    secretHash: `hash of ${newApiKeyId}`,
    hint: 'sk_test_…abcd',
    overlapMs: 0,
    ...change,
  }
}

export function closeCommand(disputeId: string, status: 'won' | 'lost'): Command {
  return { kind: 'close_dispute', key: null, disputeId, status }
}

export function attachCommand(holdId: string, change: Partial<AttachPayment> = {}): AttachPayment {
  return {
    kind: 'attach_payment',
    key: null,
    paymentId: 'pay_paid for hold_none',
    holdId,
    ...change,
  }
}

/** Of the order of hold_1. */
export function cancelCommand(change: Partial<CancelOrder> = {}): CancelOrder {
  return {
    kind: 'cancel_order',
    key: null,
    orderId: 'ord_paid for hold_1',
    refundId: 'rfnd_cancel',
    restock: false,
    reason: null,
    ...change,
  }
}

/** Of the order of hold_1. */
export function fulfilCommand(change: Partial<FulfilOrder> = {}): FulfilOrder {
  return { kind: 'fulfil_order', key: null, orderId: 'ord_paid for hold_1', ...change }
}

export function revokeCommand(apiKeyId: string, key: RequestKey | null = null): Command {
  return { kind: 'revoke_key', key, apiKeyId }
}

export function touchCommand(...uses: readonly (readonly [apiKeyId: string, usedMs: number])[]): Command {
  return { kind: 'touch_keys', key: null, uses: uses.map(([apiKeyId, usedMs]) => ({ apiKeyId, usedMs })) }
}

/** An endpoint for everything. */
export function endpointCommand(
  endpointId: string,
  change: Partial<CreateWebhookEndpoint> = {},
): CreateWebhookEndpoint {
  const secret = { secretId: `id of the secret of ${endpointId}`, secret: `whsec_${endpointId}` }
  const facts = { url: 'https://example.com/hook', events: ['*'], description: null } as const
  return { kind: 'create_webhook_endpoint', key: null, endpointId, ...facts, ...secret, ...change }
}

export function updateEndpointCommand(
  changes: UpdateWebhookEndpoint['changes'],
  endpointId = 'whe_1',
  key: RequestKey | null = null,
): UpdateWebhookEndpoint {
  return { kind: 'update_webhook_endpoint', key, endpointId, changes }
}

export function deleteEndpointCommand(endpointId = 'whe_1', key: RequestKey | null = null): Command {
  return { kind: 'delete_webhook_endpoint', key, endpointId }
}

export function rotateCommand(secretId: string, change: Partial<RotateWebhookSecret> = {}): RotateWebhookSecret {
  const secret = { secretId, secret: `whsec_${secretId}`, overlapMs: 1_000 }
  return { kind: 'rotate_webhook_secret', key: null, endpointId: 'whe_1', ...secret, ...change }
}

/** Of the first event to whe_1. */
export function retryCommand(change: Partial<RetryWebhookDelivery> = {}): RetryWebhookDelivery {
  return { kind: 'retry_webhook_delivery', key: null, endpointId: 'whe_1', eventSeq: 1, ...change }
}

export function replayCommand(
  fromSeq: number,
  toSeq: number,
  change: Partial<ReplayWebhookEvents> = {},
): ReplayWebhookEvents {
  return { kind: 'replay_webhook_events', key: null, endpointId: 'whe_1', fromSeq, toSeq, ...change }
}

/** The first event got through to whe_1. */
export function outcomesCommand(change: Partial<RecordWebhookOutcomes> = {}): RecordWebhookOutcomes {
  return {
    kind: 'record_webhook_outcomes',
    key: null,
    endpointId: 'whe_1',
    cursorSeq: 1,
    replay: null,
    failingSinceMs: null,
    disable: null,
    outcomes: [outcome(1)],
    ...change,
  }
}

/** A delivery that was tried at `startMs` and succeeded. */
export function outcome(eventSeq: number, change: Partial<WebhookOutcome> = {}): WebhookOutcome {
  const attempt = { startedMs: startMs, durationMs: 5, status: 200, fault: null }
  return { eventSeq, status: 'succeeded', failures: 0, nextAttemptMs: null, attempt, ...change }
}

export function customer(email: string, change: Partial<Customer> = {}): Customer {
  return { email, phone: null, externalId: null, name: null, shippingAddress: null, ...change }
}

export function requestKey(id: string, fingerprint = 'f'): RequestKey {
  return { id, fingerprint }
}
