import fc from 'fast-check'
import { orderIdOf } from '@penstock/domain/order.ts'
import type {
  AttachPayment,
  CancelOrder,
  CapturePayment,
  ChangeDropPhase,
  CloseCheckout,
  CloseDispute,
  Command,
  CreateDrop,
  CreateHold,
  CreateRefund,
  CreateWebhookEndpoint,
  DeleteWebhookEndpoint,
  DropChanges,
  FulfilOrder,
  NewSku,
  OpenCheckout,
  OpenDispute,
  RecordWebhookOutcomes,
  ReleaseHold,
  ReplayWebhookEvents,
  RequestKey,
  RestockSku,
  RetryWebhookDelivery,
  RotateWebhookSecret,
  SettleRefund,
  TakeFact,
  UpdateDrop,
  UpdateWebhookEndpoint,
} from '@penstock/domain/command.ts'
import type { Customer } from '@penstock/domain/customer.ts'
import type { FeeRule } from '@penstock/domain/fee.ts'
import type { Currency } from '@penstock/domain/money.ts'
import type { WebhookEventFilter } from '@penstock/domain/webhook.ts'

/**
 * Random sales from a small universe: two drops, five SKUs with little stock, three buyers, a dozen holds, few
 * payments and request keys. So collisions, duplicates, replays, sold-out answers and late payments are common.
 */

export const startMs = 1_700_000_000_000
export const holdTtlMs = 10_000
const unitAmountMinor = 100
/** Of drop_2: 19 of each unit, and 5 of each order. */
const fees: readonly FeeRule[] = [
  { name: 'VAT', kind: 'tax', amountMinor: null, basisPoints: 1_900 },
  { name: 'Parcel', kind: 'shipping', amountMinor: 5, basisPoints: null },
]

/** Commands that share one moment. */
export interface Moment {
  readonly nowMs: number
  readonly commands: readonly Command[]
}

/** What is on sale before the first random command, and an endpoint that is to be sent everything: `openingEvents` in all. */
export const openingCommands: readonly Command[] = [
  newEndpoint('whe_0', null),
  newDrop('drop_1', { maxPerCustomer: 2 }, [newSku('sku_a', 3), newSku('sku_b', 2)]),
  newDrop('drop_2', { latePayment: 'refund', fees }, [newSku('sku_c', 3)]),
  { kind: 'change_drop_phase', key: null, dropId: 'drop_1', action: 'publish' },
  { kind: 'change_drop_phase', key: null, dropId: 'drop_2', action: 'publish' },
]

/** Of `openingCommands`. */
const openingEvents = 5

function newEndpoint(endpointId: string, key: RequestKey | null): CreateWebhookEndpoint {
  return {
    kind: 'create_webhook_endpoint',
    key,
    endpointId,
    url: 'https://shop.example/hook',
    events: ['*'],
    description: null,
    secretId: `first of ${endpointId}`,
    secret: 'whsec_AAAA',
  }
}

export function newDrop(dropId: string, change: Partial<CreateDrop>, skus: readonly NewSku[]): CreateDrop {
  return {
    kind: 'create_drop',
    key: null,
    dropId,
    name: dropId,
    description: null,
    image: null,
    currency: 'usd',
    startsAtMs: 0,
    endsAtMs: null,
    holdTtlMs,
    maxPerCustomer: null,
    latePayment: 'reacquire',
    fees: [],
    metadata: {},
    skus,
    ...change,
  }
}

export function newSku(id: string, stock: number): NewSku {
  return { id, name: id, unitAmountMinor, stock, maxPerOrder: null }
}

/** A command but for what depends on its place in the list: ids it mints, holds and commands it points to. */
type Draft = (place: Place) => Command

interface Place {
  /** Of the command in the whole list: minted ids are unique by it. */
  readonly index: number
  /** Everything before it. */
  readonly earlier: readonly Command[]
}

export interface SaleOptions {
  /** Request keys to use; without any, every command is its own key. */
  readonly keys: readonly string[]
  /** Whether commands of sellers are among them. */
  readonly sellers: boolean
}

const everything: SaleOptions = { keys: ['k1', 'k2', 'k3'], sellers: true }

const skuId = fc.constantFrom('sku_a', 'sku_a', 'sku_a', 'sku_b', 'sku_b', 'sku_c', 'sku_c', 'sku_none')
const dropId = fc.constantFrom('drop_1', 'drop_1', 'drop_2', 'drop_none')
/** Which of the holds asked for before, from the last one back; none of them when it is 20. */
const holdNumber = fc.nat({ max: 20 })

/** Null `weight` times as often as a value. */
function seldom<Value>(value: fc.Arbitrary<Value>, weight: number): fc.Arbitrary<Value | null> {
  return fc.oneof({ arbitrary: fc.constant(null), weight }, { arbitrary: value, weight: 1 })
}

function anyKey(kind: string, { keys }: SaleOptions): fc.Arbitrary<RequestKey | null> {
  if (keys.length === 0) return fc.constant(null)
  const key = fc.record({
    id: fc.constantFrom(...keys).map((id) => `${kind} ${id}`),
    fingerprint: fc.constantFrom('f', 'f', 'f', 'g'),
  })
  return seldom(key, 3)
}

const customer: fc.Arbitrary<Customer> = fc.record({
  email: fc.constantFrom('ann@example.com', 'Ann+2@example.com', 'bob@example.com', 'cy@example.com'),
  phone: fc.constantFrom(null, null, '+1', '+2'),
  externalId: fc.constantFrom(null, null, 'u1'),
  name: fc.constant(null),
  shippingAddress: fc.constant(null),
})

function holdsIn(commands: readonly Command[]): CreateHold[] {
  return commands.filter((command) => command.kind === 'create_hold')
}

/** The id of hold number `wanted`, which may not exist. */
function holdAt({ earlier }: Place, wanted: number): { id: string; amountMinor: number; secret: string } {
  const holds = holdsIn(earlier)
  const hold = wanted === 20 ? undefined : holds[holds.length - 1 - (wanted % Math.min(6, holds.length))]
  if (hold === undefined) return { id: `hold_none_${wanted}`, amountMinor: unitAmountMinor, secret: 'none' }
  const units = hold.lines.reduce((sum, line) => sum + line.quantity, 0)
  const feesMinor = hold.dropId === 'drop_2' ? units * 19 + 5 : 0
  return { id: hold.holdId, amountMinor: units * unitAmountMinor + feesMinor, secret: hold.clientSecret }
}

const proof = fc.constantFrom('right', 'right', 'none', 'wrong')

function proofOf(kind: string, secret: string): string | null {
  if (kind === 'none') return null
  return kind === 'right' ? secret : 'wrong'
}

function createHold(options: SaleOptions): fc.Arbitrary<Draft> {
  // A hold is of one drop, most of the time.
  const firstSku = fc.constantFrom('sku_a', 'sku_a', 'sku_b', 'sku_c')
  const otherSku = fc.constantFrom('sku_a', 'sku_b', 'sku_b', 'sku_c', 'sku_none')
  const line = fc.record({ skuId: otherSku, quantity: fc.constantFrom(1, 1, 1, 2) })
  return fc
    .record({
      key: anyKey('create_hold', options),
      // The SKU decides the drop, most of the time.
      dropId: seldom(dropId, 12),
      first: fc.record({ skuId: firstSku, quantity: fc.constantFrom(1, 1, 1, 2) }),
      more: seldom(fc.array(line, { minLength: 1, maxLength: 2 }), 4),
      customer,
      replace: seldom(fc.record({ number: holdNumber, proof }), 4),
    })
    .map(({ key, dropId: wanted, first, more, customer: buyer, replace }): Draft => (place): CreateHold => {
      const replaced = replace === null ? null : holdAt(place, replace.number)
      return {
        kind: 'create_hold',
        key,
        // Ids sort by time (z: behind every real id), or a restarted writer would take these holds for old ones.
        holdId: `hold_z${String(place.index).padStart(3, '0')}`,
        clientSecret: `cs_${place.index}`,
        dropId: wanted ?? (first.skuId === 'sku_c' ? 'drop_2' : 'drop_1'),
        lines: [first, ...(more ?? [])],
        customer: buyer,
        replace:
          replace === null || replaced === null
            ? null
            : { holdId: replaced.id, proof: proofOf(replace.proof, replaced.secret) },
      }
    })
}

function releaseHold(options: SaleOptions): fc.Arbitrary<Draft> {
  return fc
    .record({ key: anyKey('release_hold', options), number: holdNumber, proof })
    .map(({ key, number, proof: kind }): Draft => (place): ReleaseHold => {
      const { id, secret } = holdAt(place, number)
      return { kind: 'release_hold', key, holdId: id, proof: proofOf(kind, secret) }
    })
}

function capturePayment(options: SaleOptions): fc.Arbitrary<Draft> {
  return fc
    .record({
      key: anyKey('capture_payment', options),
      number: holdNumber,
      provider: fc.constantFrom('manual', 'stripe'),
      // Mostly one of the hold's own, sometimes one that others use, too.
      providerPaymentId: seldom(fc.constantFrom('p1', 'p2', 'p3', 'p4'), 3),
      difference: fc.constantFrom(0, 0, 0, 0, 0, -1, 100),
      currency: fc.constantFrom<Currency[]>('usd', 'usd', 'usd', 'usd', 'eur'),
    })
    .map(({ key, number, provider, providerPaymentId, difference, currency }): Draft => (place): CapturePayment => {
      const { id, amountMinor } = holdAt(place, number)
      return {
        kind: 'capture_payment',
        key,
        paymentId: `pay_${place.index}`,
        holdId: id,
        provider,
        providerPaymentId: providerPaymentId ?? `paid for ${id}`,
        amountMinor: amountMinor + difference,
        currency,
      }
    })
}

/** The payment that capture number `back` before reported, if that was its first report; or one that is not there. */
function captureAt({ earlier }: Place, back: number, wanted: (command: CapturePayment) => boolean = () => true) {
  const captures = earlier.filter((command) => command.kind === 'capture_payment').filter(wanted)
  const capture = captures[captures.length - 1 - (back % Math.min(6, captures.length))]
  return back === 20 || capture === undefined ? { paymentId: 'pay_none' } : capture
}

const captureNumber = fc.nat({ max: 20 })

function attachPayment(options: SaleOptions): fc.Arbitrary<Draft> {
  return fc
    .record({
      key: anyKey('attach_payment', options),
      payment: captureNumber,
      hold: holdNumber,
      any: fc.nat({ max: 5 }),
    })
    .map(({ key, payment, hold, any }): Draft => (place): AttachPayment => {
      // Mostly one that has no hold: it may well be unmatched.
      const capture = captureAt(place, payment, ({ holdId }) => any === 0 || holdId.startsWith('hold_none'))
      return {
        kind: 'attach_payment',
        key,
        paymentId: capture.paymentId,
        holdId: holdAt(place, hold).id,
      }
    })
}

function refundCommands(options: SaleOptions): fc.Arbitrary<Draft>[] {
  const line = fc.record({
    skuId: fc.constantFrom('sku_a', 'sku_a', 'sku_b', 'sku_c'),
    quantity: fc.constantFrom(1, 1, 2),
  })
  const create = fc
    .record({
      key: anyKey('create_refund', options),
      payment: captureNumber,
      amountMinor: seldom(fc.constantFrom(0, 1, 50, 100, 150), 1),
      lines: seldom(fc.array(line, { minLength: 1, maxLength: 2 }), 1),
      restock: fc.boolean(),
    })
    .map(({ payment, ...fields }): Draft => (place): CreateRefund => ({
      kind: 'create_refund',
      refundId: `rfnd_${place.index}`,
      paymentId: captureAt(place, payment).paymentId,
      reason: null,
      ...fields,
    }))
  const settle = fc
    .record({
      key: anyKey('settle_refund', options),
      back: captureNumber,
      status: fc.constantFrom('succeeded', 'failed'),
    })
    .map(({ key, back, status }): Draft => ({ earlier }): SettleRefund => {
      const refunds = earlier.filter(({ kind }) => kind === 'create_refund' || kind === 'cancel_order')
      const refund = refunds[refunds.length - 1 - (back % Math.min(5, refunds.length))]
      const refundId = back === 20 || refund === undefined || !('refundId' in refund) ? 'rfnd_none' : refund.refundId
      return { kind: 'settle_refund', key, refundId, status }
    })
  const cancel = fc
    .record({ key: anyKey('cancel_order', options), payment: captureNumber, restock: fc.boolean() })
    .map(({ key, payment, restock }): Draft => (place): CancelOrder => {
      const orderId = orderIdOf(captureAt(place, payment).paymentId)
      return { kind: 'cancel_order', key, orderId, refundId: `rfnd_${place.index}`, restock, reason: null }
    })
  const fulfil = fc
    .record({ key: anyKey('fulfil_order', options), payment: captureNumber })
    .map(({ key, payment }): Draft => (place): FulfilOrder => {
      return { kind: 'fulfil_order', key, orderId: orderIdOf(captureAt(place, payment).paymentId) }
    })
  return [create, create, settle, settle, cancel, fulfil]
}

function disputeCommands(options: SaleOptions): fc.Arbitrary<Draft>[] {
  const opening = fc
    .record({
      key: anyKey('open_dispute', options),
      payment: captureNumber,
      // Mostly one of the payment's own, sometimes one that others use, too.
      providerDisputeId: seldom(fc.constantFrom('d1', 'd2'), 1),
      amountMinor: seldom(fc.constantFrom(1, 40, 100), 1),
    })
    .map(({ payment, providerDisputeId, ...fields }): Draft => (place): OpenDispute => {
      const { paymentId } = captureAt(place, payment)
      return {
        kind: 'open_dispute',
        disputeId: `dsp_${place.index}`,
        paymentId,
        reason: null,
        providerDisputeId: providerDisputeId ?? `of ${paymentId}`,
        ...fields,
      }
    })
  const closing = fc
    .record({ key: anyKey('close_dispute', options), back: captureNumber, status: fc.constantFrom('won', 'lost') })
    .map(({ key, back, status }): Draft => ({ earlier }): CloseDispute => {
      const disputes = earlier.filter((command) => command.kind === 'open_dispute')
      const dispute = disputes[disputes.length - 1 - (back % Math.min(4, disputes.length))]
      return { kind: 'close_dispute', key, disputeId: dispute?.disputeId ?? 'dsp_none', status }
    })
  return [opening, closing]
}

/** What stripe says of the payments that `capturePayment` makes, often before it reports them. */
function providerCommands(options: SaleOptions): fc.Arbitrary<Draft>[] {
  const target = fc.record({ number: holdNumber, shared: seldom(fc.constantFrom('p1', 'p2'), 2) })
  const idOf = (place: Place, { number, shared }: { number: number; shared: string | null }): string =>
    shared ?? `paid for ${holdAt(place, number).id}`
  // Of one object a provider always says the same, but for its status.
  const amounts = [40, 60, 100, 200]
  const currency = 'usd'
  const refund = fc
    .record({
      key: anyKey('take_fact', options),
      target,
      own: fc.nat({ max: 3 }),
      back: captureNumber,
      number: fc.nat({ max: 3 }),
      status: fc.constantFrom('pending', 'succeeded', 'succeeded', 'failed'),
    })
    .map(({ key, target: wanted, own, back, number, status }): Draft => (place): TakeFact => {
      const providerPaymentId = idOf(place, wanted)
      const refunds = place.earlier.filter((command) => command.kind === 'create_refund')
      const asked = refunds[refunds.length - 1 - (back % Math.min(5, refunds.length))]
      const refundId = own === 0 ? (asked?.refundId ?? null) : null
      const providerRefundId =
        refundId === null ? `re_${number} ${providerPaymentId}` : `re of ${refundId} ${providerPaymentId}`
      const ids = { kind: 'refund_updated', providerPaymentId, providerRefundId, refundId } as const
      const amountMinor = refundId === null ? (amounts[number] ?? 0) : asked?.amountMinor || 100
      const fact = { ...ids, amountMinor, currency, status, createdMs: startMs } as const
      return { kind: 'take_fact', key, provider: 'stripe', fact, objectId: `rfnd_of ${providerRefundId}` }
    })
  const dispute = fc
    .record({
      key: anyKey('take_fact', options),
      target,
      number: fc.nat({ max: 3 }),
      status: fc.constantFrom('open', 'won', 'lost'),
    })
    .map(({ key, target: wanted, number, status }): Draft => (place): TakeFact => {
      const providerPaymentId = idOf(place, wanted)
      const providerDisputeId = `dp_${number} ${providerPaymentId}`
      const kind = status === 'open' ? 'dispute_opened' : 'dispute_closed'
      const fact = { kind, providerPaymentId, providerDisputeId, reason: null, status } as const
      const facts = { ...fact, amountMinor: amounts[number] ?? 0, currency, createdMs: startMs } as const
      return { kind: 'take_fact', key, provider: 'stripe', fact: facts, objectId: `dsp_of ${providerDisputeId}` }
    })
  const provider = fc.constantFrom('stripe', 'test')
  const open = fc
    .record({ key: anyKey('open_checkout', options), number: holdNumber, provider })
    .map(({ key, number, provider: name }): Draft => (place): OpenCheckout => {
      const { id: holdId, amountMinor: wantedMinor } = holdAt(place, number)
      const ids = { holdId, provider: name, providerPaymentId: `paid for ${holdId}` }
      const facts = { amountMinor: wantedMinor, currency: 'usd', url: null, clientSecret: 'secret' } as const
      return { kind: 'open_checkout', key, ...ids, ...facts, expiresMs: startMs }
    })
  const close = fc
    .record({ key: anyKey('close_checkout', options), number: holdNumber, provider })
    .map(({ key, number, provider: name }): Draft => (place): CloseCheckout => {
      const { id: holdId } = holdAt(place, number)
      return { kind: 'close_checkout', key, holdId, provider: name, providerPaymentId: `paid for ${holdId}` }
    })
  return [refund, refund, refund, dispute, open, close]
}

function sellerCommands(options: SaleOptions): fc.Arbitrary<Draft>[] {
  const changes: fc.Arbitrary<DropChanges> = fc.record(
    {
      name: fc.constantFrom('x', 'y'),
      maxPerCustomer: fc.constantFrom(1, 3, 5, null),
      latePayment: fc.constantFrom('reacquire', 'refund'),
      holdTtlMs: fc.constantFrom(1, holdTtlMs),
      endsAtMs: fc.constantFrom(null, null, null, startMs + 15_000),
    },
    { requiredKeys: [] },
  )
  const update = fc
    .record({ key: anyKey('update_drop', options), dropId, changes, price: fc.boolean(), addSku: fc.boolean() })
    .map(({ key, dropId: wanted, changes: fields, price, addSku }): Draft => ({ index }): UpdateDrop => ({
      kind: 'update_drop',
      key,
      dropId: wanted,
      changes: fields,
      skuChanges: price ? [{ skuId: 'sku_b', name: null, unitAmountMinor: 150, maxPerOrder: null }] : [],
      newSkus: addSku ? [newSku(`sku_${index}`, 1)] : [],
    }))
  const phase = fc
    .record({
      key: anyKey('change_drop_phase', options),
      dropId,
      action: fc.constantFrom<ChangeDropPhase['action'][]>(
        'pause',
        'resume',
        'resume',
        'resume',
        'resume',
        'publish',
        'end',
        'cancel',
      ),
    })
    .map((fields): Draft => (): ChangeDropPhase => ({ kind: 'change_drop_phase', ...fields }))
  const restock = fc
    .record({ key: anyKey('restock_sku', options), dropId, skuId, quantity: fc.integer({ min: -4, max: 2 }) })
    .map(({ key, ...fields }): Draft => ({ index }): RestockSku => {
      return { kind: 'restock_sku', key: key ?? { id: `restock ${index}`, fingerprint: 'f' }, ...fields }
    })
  const create = anyKey('create_drop', options).map((key): Draft => ({ index }) => ({
    ...newDrop(`drop_${index}`, {}, [newSku(`sku_${index}`, 1)]),
    key,
  }))
  const erase = fc
    .record({ key: anyKey('erase_customer', options), number: holdNumber })
    .map(({ key, number }): Draft => (place) => ({ kind: 'erase_customer', key, holdId: holdAt(place, number).id }))
  return [update, phase, restock, create, erase]
}

function webhookCommands(options: SaleOptions): fc.Arbitrary<Draft>[] {
  /** The first endpoint, which is there from the beginning, or one of the others that were asked for. */
  const target = fc.nat({ max: 8 })
  const idAt = ({ earlier }: Place, number: number): string => {
    const made = earlier.filter((command) => command.kind === 'create_webhook_endpoint')
    if (number === 0) return 'whe_none'
    return number < 6 ? 'whe_0' : (made[made.length - 1 - (number % Math.max(1, made.length))]?.endpointId ?? 'whe_0')
  }
  const create = anyKey('create_webhook_endpoint', options).map((key): Draft => ({ index }) => {
    return newEndpoint(`whe_${index}`, key)
  })
  const changes: fc.Arbitrary<UpdateWebhookEndpoint['changes']> = fc.record(
    {
      status: fc.constantFrom('enabled', 'enabled', 'disabled'),
      events: fc.constantFrom<WebhookEventFilter[][]>(['*'], ['payment.captured', 'order.cancelled']),
      description: fc.constantFrom(null, 'x'),
    },
    { requiredKeys: ['status'] },
  )
  const update = fc
    .record({ key: anyKey('update_webhook_endpoint', options), target, changes })
    .map(({ key, target: number, changes: fields }): Draft => (place): UpdateWebhookEndpoint => {
      return { kind: 'update_webhook_endpoint', key, endpointId: idAt(place, number), changes: fields }
    })
  const rotate = fc
    .record({ key: anyKey('rotate_webhook_secret', options), target, overlapMs: fc.constantFrom(0, 1, holdTtlMs) })
    .map(({ key, target: number, overlapMs }): Draft => (place): RotateWebhookSecret => {
      const minted = { secretId: `number ${place.index}`, secret: 'whsec_BBBB' }
      return { kind: 'rotate_webhook_secret', key, endpointId: idAt(place, number), ...minted, overlapMs }
    })
  const remove = fc
    .record({ key: anyKey('delete_webhook_endpoint', options), target: fc.nat({ max: 24 }) })
    .map(({ key, target: number }): Draft => (place): DeleteWebhookEndpoint => {
      return { kind: 'delete_webhook_endpoint', key, endpointId: idAt(place, number) }
    })
  const eventSeq = fc.integer({ min: 1, max: openingEvents + 1 })
  const retry = fc
    .record({ key: anyKey('retry_webhook_delivery', options), target, eventSeq })
    .map(({ target: number, ...fields }): Draft => (place): RetryWebhookDelivery => {
      return { kind: 'retry_webhook_delivery', endpointId: idAt(place, number), ...fields }
    })
  const replay = fc
    .record({
      key: anyKey('replay_webhook_events', options),
      target,
      fromSeq: eventSeq,
      // The last there is, most of the time: that is what commands before it in its batch have made.
      toSeq: fc.constantFrom(1_000, 1_000, openingEvents, 0),
    })
    .map(({ target: number, ...fields }): Draft => (place): ReplayWebhookEvents => {
      return { kind: 'replay_webhook_events', endpointId: idAt(place, number), ...fields }
    })
  return [create, update, update, rotate, remove, retry, retry, replay, recordOutcomes(target, idAt)]
}

/** What a courier reports of the first events, which are there in every sale: of all up to where it got to. */
function recordOutcomes(
  target: fc.Arbitrary<number>,
  idAt: (place: Place, number: number) => string,
): fc.Arbitrary<Draft> {
  const outcome = fc.record({
    status: fc.constantFrom('pending', 'succeeded', 'failed'),
    failures: fc.nat({ max: 3 }),
    startedMs: seldom(fc.constantFrom(startMs, startMs + 1), 1),
  })
  return fc
    .record({
      target,
      outcomes: fc.array(outcome, { maxLength: openingEvents }),
      replayed: seldom(fc.constantFrom(1, openingEvents, openingEvents + 1), 1),
      failingSinceMs: fc.constantFrom(null, startMs),
      disable: seldom(fc.constantFrom('gone', 'failing'), 6),
    })
    .map(
      ({ target: number, outcomes, replayed, failingSinceMs, disable }): Draft =>
        (place): RecordWebhookOutcomes => ({
          kind: 'record_webhook_outcomes',
          key: null,
          endpointId: idAt(place, number),
          cursorSeq: outcomes.length,
          replay: replayed === null ? null : { nextSeq: replayed, toSeq: openingEvents },
          failingSinceMs,
          disable,
          outcomes: outcomes.map(({ status, failures, startedMs }, index) => ({
            eventSeq: index + 1,
            status,
            failures,
            nextAttemptMs: status === 'pending' ? startMs + failures : null,
            attempt: startedMs === null ? null : { startedMs, durationMs: failures, status: 500, fault: 'status' },
          })),
        }),
    )
}

function anyDraft(options: SaleOptions): fc.Arbitrary<Draft> {
  const expire: Draft = () => ({ kind: 'expire_holds', key: null })
  const again = fc.nat({ max: 30 }).map((back): Draft => ({ earlier }) => {
    return earlier[earlier.length - 1 - (back % Math.max(1, earlier.length))] ?? { kind: 'expire_holds', key: null }
  })
  const buyers: fc.WeightedArbitrary<Draft>[] = [
    { arbitrary: createHold(options), weight: 16 },
    { arbitrary: capturePayment(options), weight: 14 },
    { arbitrary: releaseHold(options), weight: 6 },
    { arbitrary: fc.constant(expire), weight: 3 },
    { arbitrary: again, weight: 6 },
  ]
  if (!options.sellers) return fc.oneof(...buyers)
  const sellers = sellerCommands(options).map((arbitrary) => ({ arbitrary, weight: 1 }))
  const money = [
    ...refundCommands(options),
    ...disputeCommands(options),
    ...providerCommands(options),
    attachPayment(options),
  ]
  const webhooks = webhookCommands(options).map((arbitrary) => ({ arbitrary, weight: 1 }))
  return fc.oneof(...buyers, ...sellers, ...money.map((arbitrary) => ({ arbitrary, weight: 2 })), ...webhooks)
}

/** Up to 112 commands at up to four moments; between two of them holds may or may not expire. */
export function randomSale(options: SaleOptions = everything): fc.Arbitrary<Moment[]> {
  const passed = fc.constantFrom(1, 500, holdTtlMs, holdTtlMs + 1_000)
  const moment = fc.tuple(passed, fc.array(anyDraft(options), { minLength: 10, maxLength: 28, size: 'max' }))
  return fc.array(moment, { minLength: 1, maxLength: 4, size: 'max' }).map((moments) => {
    const all: Command[] = []
    let nowMs = startMs
    return moments.map(([passedMs, drafts]) => {
      nowMs += passedMs
      const from = all.length
      for (const draft of drafts) all.push(draft({ index: all.length, earlier: all }))
      return { nowMs, commands: all.slice(from) }
    })
  })
}

/** Where to cut a list into batches: fractions of its length. */
export const randomCuts: fc.Arbitrary<readonly number[]> = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), {
  maxLength: 8,
})

/** `list` in pieces, of which some may be empty. */
export function cutAt<Item>(list: readonly Item[], cuts: readonly number[]): (readonly Item[])[] {
  const bounds = [0, ...cuts.map((cut) => Math.floor(cut * list.length)).toSorted((a, b) => a - b), list.length]
  return bounds.slice(1).map((end, index) => list.slice(bounds[index], end))
}
