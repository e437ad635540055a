import fc from 'fast-check'
import { expect, it } from 'vitest'
import { commandsPerFrameMax, frameBytesMax } from '@penstock/domain/limits.ts'
import { currencies } from '@penstock/domain/money.ts'
import { retryable } from '@penstock/domain/result.ts'
import { Codec } from './codec.ts'
import { rareSchemas } from './command-schema.ts'
import { FrameError, FrameReader, frameKinds } from './frame.ts'
import { protocolVersion } from './messages.ts'
import { sampleCommands, sampleResults } from './samples.ts'
import type { Command, CommandKind } from '@penstock/domain/command.ts'
import type { RejectionCode, Result } from '@penstock/domain/result.ts'
import type { CommitMessage, NumberedCommand, SkuCounters } from './messages.ts'

/** The payload of the one frame in `bytes`, checked to be of `kind`. */
function payloadOf(bytes: Buffer, kind: number): Buffer {
  let payload = Buffer.alloc(0)
  const kinds: number[] = []
  new FrameReader((found, body) => {
    kinds.push(found)
    payload = Buffer.from(body)
  }).push(bytes)
  expect(kinds).toEqual([kind])
  return payload
}

function sendCommands(from: Codec, to: Codec, commands: readonly NumberedCommand[]): NumberedCommand[] {
  return from.encodeCommands(commands).flatMap((frame) => to.decodeCommands(payloadOf(frame, frameKinds.commands)))
}

function sendCommit(from: Codec, to: Codec, commit: CommitMessage): CommitMessage[] {
  return from.encodeCommit(commit).map((frame) => to.decodeCommit(payloadOf(frame, frameKinds.commit)))
}

// Any text that UTF-8 can carry; HTTP refuses lone surrogates.
const text = fc.string({ unit: 'binary', maxLength: 40 })
const whole = fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER })
const units = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })
const amount = fc.oneof(fc.nat(), fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }))
const orNull = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: null })
const key = fc.record({ id: text, fingerprint: text }, { noNullPrototype: true })
const currency = fc.constantFrom(...currencies)
// msgpackr renames the key __proto__ so that it cannot do harm: a test of its own below.
const texts = fc.dictionary(
  text.filter((name) => name !== '__proto__'),
  text,
  { noNullPrototype: true, maxKeys: 12 },
)
const sku = fc.record(
  { id: text, name: text, unitAmountMinor: amount, stock: amount, maxPerOrder: orNull(units) },
  { noNullPrototype: true },
)
const latePayment = fc.constantFrom('reacquire', 'refund')
const feeKind = fc.constantFrom('shipping', 'tax', 'service')
const feeRules = fc.array(
  fc.record(
    { name: text, kind: feeKind, amountMinor: orNull(amount), basisPoints: orNull(amount) },
    { noNullPrototype: true },
  ),
  { maxLength: 3 },
)
const customer = fc.record(
  {
    email: text,
    phone: orNull(text),
    externalId: orNull(text),
    name: orNull(text),
    shippingAddress: orNull(
      fc.record(
        {
          line1: text,
          line2: orNull(text),
          city: text,
          state: orNull(text),
          postalCode: orNull(text),
          country: text,
        },
        { noNullPrototype: true },
      ),
    ),
  },
  { noNullPrototype: true },
)
const changes = fc.record(
  {
    name: text,
    description: orNull(text),
    image: orNull(text),
    startsAtMs: amount,
    endsAtMs: orNull(amount),
    holdTtlMs: units,
    maxPerCustomer: orNull(units),
    latePayment,
    fees: feeRules,
    metadata: texts,
  },
  { noNullPrototype: true, requiredKeys: [] },
)

const wantedLine = fc.record({ skuId: text, quantity: units }, { noNullPrototype: true })

const commandFields: Record<CommandKind, Record<string, fc.Arbitrary<unknown>>> = {
  create_drop: {
    key: orNull(key),
    dropId: text,
    name: text,
    description: orNull(text),
    image: orNull(text),
    currency,
    startsAtMs: orNull(amount),
    endsAtMs: orNull(amount),
    holdTtlMs: units,
    maxPerCustomer: orNull(units),
    latePayment,
    fees: feeRules,
    metadata: texts,
    skus: fc.array(sku, { minLength: 1, maxLength: 5 }),
  },
  update_drop: {
    key: orNull(key),
    dropId: text,
    changes,
    skuChanges: fc.array(
      fc.record(
        { skuId: text, name: orNull(text), unitAmountMinor: orNull(amount), maxPerOrder: orNull(amount) },
        { noNullPrototype: true },
      ),
      { maxLength: 5 },
    ),
    newSkus: fc.array(sku, { maxLength: 5 }),
  },
  change_drop_phase: {
    key: orNull(key),
    dropId: text,
    action: fc.constantFrom('publish', 'pause', 'resume', 'end', 'cancel'),
  },
  restock_sku: { key, dropId: text, skuId: text, quantity: whole },
  create_hold: {
    key: orNull(key),
    holdId: text,
    clientSecret: text,
    dropId: text,
    lines: fc.array(wantedLine, { minLength: 1, maxLength: 8 }),
    customer,
    replace: orNull(fc.record({ holdId: text, proof: orNull(text) }, { noNullPrototype: true })),
  },
  release_hold: { key: orNull(key), holdId: text, proof: orNull(text) },
  expire_holds: { key: fc.constant(null) },
  capture_payment: {
    key: orNull(key),
    paymentId: text,
    holdId: text,
    provider: text,
    providerPaymentId: text,
    amountMinor: amount,
    currency,
  },
  attach_payment: { key: orNull(key), paymentId: text, holdId: text },
  create_refund: {
    key: orNull(key),
    refundId: text,
    paymentId: text,
    amountMinor: orNull(amount),
    lines: orNull(fc.array(wantedLine, { minLength: 1, maxLength: 8 })),
    restock: fc.boolean(),
    reason: orNull(text),
  },
  settle_refund: { key: orNull(key), refundId: text, status: fc.constantFrom('succeeded', 'failed') },
  open_dispute: {
    key: orNull(key),
    disputeId: text,
    paymentId: text,
    providerDisputeId: text,
    amountMinor: orNull(units),
    reason: orNull(text),
  },
  close_dispute: { key: orNull(key), disputeId: text, status: fc.constantFrom('won', 'lost') },
  take_fact: {
    key: orNull(key),
    provider: fc.constantFrom('stripe', 'payos', 'test'),
    fact: fc.oneof(
      fc.record(
        {
          kind: fc.constant('refund_updated'),
          providerPaymentId: text,
          providerRefundId: text,
          refundId: orNull(text),
          amountMinor: units,
          currency,
          status: fc.constantFrom('pending', 'succeeded', 'failed'),
          createdMs: amount,
        },
        { noNullPrototype: true },
      ),
      fc.record(
        {
          kind: fc.constantFrom('dispute_opened', 'dispute_closed'),
          providerPaymentId: text,
          providerDisputeId: text,
          amountMinor: units,
          currency,
          reason: orNull(text),
          status: fc.constantFrom('open', 'won', 'lost'),
          createdMs: amount,
        },
        { noNullPrototype: true },
      ),
    ),
    objectId: text,
  },
  open_checkout: {
    key: orNull(key),
    holdId: text,
    provider: fc.constantFrom('stripe', 'payos', 'test'),
    providerPaymentId: text,
    amountMinor: amount,
    currency,
    url: orNull(text),
    clientSecret: orNull(text),
    expiresMs: amount,
  },
  close_checkout: {
    key: orNull(key),
    holdId: text,
    provider: fc.constantFrom('stripe', 'payos', 'test'),
    providerPaymentId: text,
  },
  cancel_order: { key: orNull(key), orderId: text, refundId: text, restock: fc.boolean(), reason: orNull(text) },
  fulfil_order: { key: orNull(key), orderId: text },
  erase_customer: { key: orNull(key), holdId: text },
  use_code: { key, orderId: text, holdId: text, unit: fc.nat() },
  create_key: {
    key: orNull(key),
    apiKeyId: text,
    keyKind: fc.constantFrom('secret', 'publishable'),
    name: orNull(text),
    scopes: fc.array(text, { maxLength: 5 }),
    secretHash: text,
    hint: text,
    expiresAtMs: orNull(amount),
  },
  roll_key: { key: orNull(key), apiKeyId: text, newApiKeyId: text, secretHash: text, hint: text, overlapMs: amount },
  revoke_key: { key: orNull(key), apiKeyId: text },
  touch_keys: {
    key: fc.constant(null),
    uses: fc.array(fc.record({ apiKeyId: text, usedMs: amount }, { noNullPrototype: true }), { maxLength: 5 }),
  },
  create_webhook_endpoint: {
    key: orNull(key),
    endpointId: text,
    url: text,
    events: fc.array(text, { minLength: 1, maxLength: 3 }),
    description: orNull(text),
    secretId: text,
    secret: text,
  },
  update_webhook_endpoint: {
    key: orNull(key),
    endpointId: text,
    changes: fc.record(
      { url: text, events: fc.array(text, { minLength: 1, maxLength: 3 }), description: orNull(text) },
      { noNullPrototype: true, requiredKeys: [] },
    ),
  },
  delete_webhook_endpoint: { key: orNull(key), endpointId: text },
  rotate_webhook_secret: { key: orNull(key), endpointId: text, secretId: text, secret: text, overlapMs: amount },
  retry_webhook_delivery: { key: orNull(key), endpointId: text, eventSeq: units },
  replay_webhook_events: { key: orNull(key), endpointId: text, fromSeq: units, toSeq: amount },
  record_webhook_outcomes: {
    key: fc.constant(null),
    endpointId: text,
    cursorSeq: amount,
    replay: orNull(fc.record({ nextSeq: units, toSeq: units }, { noNullPrototype: true })),
    failingSinceMs: orNull(amount),
    disable: orNull(fc.constantFrom('gone', 'failing')),
    outcomes: fc.array(
      fc.record(
        {
          eventSeq: units,
          status: fc.constantFrom('pending', 'succeeded', 'failed'),
          failures: amount,
          nextAttemptMs: orNull(amount),
          attempt: fc.constantFrom(null, { startedMs: 1, durationMs: 2, status: null, fault: 'timeout' }),
        },
        { noNullPrototype: true },
      ),
      { maxLength: 5 },
    ),
  },
}

const commandOf = (kind: CommandKind): fc.Arbitrary<Command> =>
  fc.record(
    { kind: fc.constant(kind), ...commandFields[kind] },
    { noNullPrototype: true },
  ) as unknown as fc.Arbitrary<Command>
const anyCommand = fc.constantFrom(...(Object.keys(commandFields) as CommandKind[])).chain(commandOf)

const flag = fc.boolean()
const line = fc.record({ skuId: text, quantity: units, unitAmountMinor: amount }, { noNullPrototype: true })
const hold = fc.record(
  {
    id: text,
    dropId: text,
    lines: fc.array(line, { minLength: 1, maxLength: 8 }),
    fees: fc.array(fc.record({ name: text, kind: feeKind, amountMinor: amount }, { noNullPrototype: true }), {
      maxLength: 3,
    }),
    amountMinor: amount,
    currency,
    customer: fc.oneof(customer, fc.record({ countedIn: fc.array(text, { maxLength: 3 }) }, { noNullPrototype: true })),
    clientSecret: text,
    createdMs: amount,
    expiresMs: amount,
    status: fc.constantFrom('active', 'captured', 'released', 'expired'),
  },
  { noNullPrototype: true },
)
const payment = fc.record(
  {
    id: text,
    provider: text,
    providerPaymentId: text,
    holdId: text,
    orderId: orNull(text),
    amountMinor: amount,
    currency,
    status: fc.constantFrom('captured', 'refund_due', 'unmatched'),
    reason: orNull(fc.constantFrom('unknown_hold', 'sold_out', 'limit_reached')),
    createdMs: amount,
    attachedHoldId: orNull(text),
    refundedMinor: amount,
    disputedMinor: amount,
    lostMinor: amount,
  },
  { noNullPrototype: true },
)
const drop = fc.record(
  {
    id: text,
    name: text,
    description: orNull(text),
    image: orNull(text),
    currency,
    startsAtMs: amount,
    endsAtMs: orNull(amount),
    holdTtlMs: units,
    maxPerCustomer: orNull(units),
    latePayment,
    fees: feeRules,
    metadata: texts,
    phase: fc.constantFrom('draft', 'published', 'paused', 'ended', 'cancelled'),
    createdMs: amount,
    skuIds: fc.array(text, { maxLength: 5 }),
  },
  { noNullPrototype: true },
)
const countedSku = fc.record(
  {
    id: text,
    name: text,
    unitAmountMinor: amount,
    stock: amount,
    maxPerOrder: orNull(units),
    dropId: text,
    held: amount,
    sold: amount,
  },
  { noNullPrototype: true },
)

const apiKey = fc.record(
  {
    id: text,
    kind: fc.constantFrom('secret', 'publishable'),
    name: orNull(text),
    scopes: fc.array(text, { maxLength: 5 }),
    secretHash: text,
    hint: text,
    createdMs: amount,
    expiresMs: orNull(amount),
    revokedMs: orNull(amount),
    lastUsedMs: orNull(amount),
  },
  { noNullPrototype: true },
)

const outcome = <Value>(value: Value) => fc.constant(value)
const plain = { noNullPrototype: true } as const
const refund = fc.record(
  {
    id: text,
    paymentId: text,
    orderId: orNull(text),
    amountMinor: amount,
    currency,
    lines: fc.array(wantedLine, { maxLength: 8 }),
    restock: flag,
    reason: orNull(text),
    createdMs: amount,
    status: fc.constantFrom('pending', 'succeeded', 'failed'),
    settledMs: orNull(amount),
  },
  plain,
)
const dispute = fc.record(
  {
    id: text,
    paymentId: text,
    provider: text,
    providerDisputeId: text,
    amountMinor: amount,
    currency,
    reason: orNull(text),
    createdMs: amount,
    status: fc.constantFrom('open', 'won', 'lost'),
    closedMs: orNull(amount),
  },
  plain,
)
const order = fc.record(
  {
    id: text,
    dropId: text,
    holdId: text,
    paymentId: text,
    amountMinor: amount,
    currency,
    createdMs: amount,
    cancelledMs: orNull(amount),
    fulfilledMs: orNull(amount),
  },
  plain,
)
const lineRefund = fc.record(
  { orderId: text, skuId: text, paidQuantity: amount, refundedQuantity: amount, restockedQuantity: amount },
  plain,
)
const resultOf: Record<Exclude<Result['outcome'], RejectionCode>, fc.Arbitrary<unknown>> = {
  hold_created: fc.record({ outcome: outcome('hold_created'), hold, replayed: flag }, plain),
  hold_released: fc.record({ outcome: outcome('hold_released'), hold, replayed: flag }, plain),
  holds_expired: fc.record({ outcome: outcome('holds_expired'), count: fc.nat(), replayed: flag }, plain),
  payment_recorded: fc.record(
    { outcome: outcome('payment_recorded'), payment, duplicate: flag, replayed: flag },
    plain,
  ),
  payment_attached: fc.record({ outcome: outcome('payment_attached'), payment, replayed: flag }, plain),
  refund_saved: fc.record({ outcome: outcome('refund_saved'), refund, replayed: flag }, plain),
  dispute_saved: fc.record({ outcome: outcome('dispute_saved'), dispute, duplicate: flag, replayed: flag }, plain),
  order_saved: fc.record(
    {
      outcome: outcome('order_saved'),
      order,
      hold,
      refundedMinor: amount,
      lineRefunds: fc.array(lineRefund, { maxLength: 5 }),
      replayed: flag,
    },
    plain,
  ),
  fact_taken: fc.record(
    { outcome: outcome('fact_taken'), effect: fc.constantFrom('applied', 'waiting'), replayed: flag },
    plain,
  ),
  checkout_saved: fc.record(
    {
      outcome: outcome('checkout_saved'),
      checkout: fc.record(
        {
          holdId: text,
          provider: text,
          providerPaymentId: text,
          amountMinor: amount,
          currency,
          url: orNull(text),
          clientSecret: orNull(text),
          createdMs: amount,
          expiresMs: amount,
          state: fc.constantFrom('open', 'closed'),
        },
        plain,
      ),
      replayed: flag,
    },
    plain,
  ),
  checkout_closed: fc.record({ outcome: outcome('checkout_closed'), isClosed: flag, replayed: flag }, plain),
  customer_erased: fc.record({ outcome: outcome('customer_erased'), hold, replayed: flag }, plain),
  code_activated: fc.record(
    { outcome: outcome('code_activated'), orderId: text, skuId: text, usedMs: amount, replayed: flag },
    plain,
  ),
  drop_saved: fc.record(
    {
      outcome: outcome('drop_saved'),
      drop,
      skus: fc.array(countedSku, { maxLength: 5 }),
      nowMs: amount,
      replayed: flag,
    },
    plain,
  ),
  api_key_saved: fc.record({ outcome: outcome('api_key_saved'), apiKey, replayed: flag }, plain),
  keys_touched: fc.record({ outcome: outcome('keys_touched'), count: fc.nat(), replayed: flag }, plain),
  webhook_endpoint_saved: fc.constant(sampleResults.webhook_endpoint_saved),
  webhook_delivery_saved: fc.constant(sampleResults.webhook_delivery_saved),
  webhook_outcomes_saved: fc.constant(sampleResults.webhook_outcomes_saved),
}
const rejection = fc.record(
  { outcome: fc.constantFrom(...(Object.keys(retryable) as RejectionCode[])), param: orNull(text), detail: text },
  plain,
)
const anyResult = fc.oneof(rejection, ...Object.values(resultOf)) as fc.Arbitrary<Result>
const counters = fc.record({ skuId: text, stock: amount, held: amount, sold: amount }, plain)
const commit: fc.Arbitrary<CommitMessage> = fc.record(
  {
    seq: amount,
    skus: fc.array(counters, { maxLength: 5 }),
    dropIds: fc.array(text, { maxLength: 5 }),
    apiKeysChanged: flag,
    replies: fc.array(fc.record({ id: fc.nat(), result: anyResult }, plain), { maxLength: 6 }),
  },
  plain,
)

it('Codec handshake messages survive the way', () => {
  const [from, to] = [new Codec(), new Codec()]
  fc.assert(
    fc.property(amount, amount, amount, text, (protocol, second, third, reason) => {
      const hello = { protocol, pid: second, seenSeq: third, follows: third % 2 === 0 }
      expect(to.decodeHello(payloadOf(from.encodeHello(hello), frameKinds.hello))).toEqual(hello)
      const welcome = { protocol, epoch: second, seq: third, slot: protocol }
      expect(to.decodeWelcome(payloadOf(from.encodeWelcome(welcome), frameKinds.welcome))).toEqual(welcome)
      expect(to.decodeRefusal(payloadOf(from.encodeRefusal({ reason }), frameKinds.refusal))).toEqual({ reason })
    }),
  )
})

it.each(Object.keys(commandFields) as CommandKind[])('Codec %s survives the way, whatever its fields', (kind) => {
  fc.assert(
    fc.property(commandOf(kind), fc.nat(), (command, id) => {
      expect(sendCommands(new Codec(), new Codec(), [{ id, command }])).toStrictEqual([{ id, command }])
    }),
  )
})

it('Codec commands survive one connection, message after message', () => {
  const batch = fc.array(fc.record({ id: fc.nat(), command: anyCommand }, plain), { maxLength: 6 })
  fc.assert(
    fc.property(fc.array(batch, { maxLength: 6 }), (batches) => {
      const [from, to] = [new Codec(), new Codec()]
      for (const commands of batches) expect(sendCommands(from, to, commands)).toStrictEqual(commands)
    }),
  )
})

it('Codec commits survive one connection, message after message', () => {
  fc.assert(
    fc.property(fc.array(commit, { maxLength: 4 }), (commits) => {
      const [from, to] = [new Codec(), new Codec()]
      for (const each of commits) expect(sendCommit(from, to, each)).toStrictEqual([each])
    }),
  )
})

it('Codec keeps a metadata key __proto__ from doing harm', () => {
  const metadata = JSON.parse('{"__proto__":"evil","a":"b"}') as Record<string, string>
  const [received] = sendCommands(new Codec(), new Codec(), [
    { id: 1, command: { ...sampleCommands.create_drop, metadata } },
  ])
  const got = received?.command.kind === 'create_drop' ? received.command.metadata : {}
  expect(Object.getPrototypeOf(got)).toBe(Object.prototype)
  expect(Object.values(got)).toEqual(['evil', 'b'])
  expect(({} as Record<string, unknown>)['evil']).toBeUndefined()
})

/**
 * These bytes are the wire format. When they change, processes of two releases no longer understand each other: raise
 * `protocolVersion` in messages.ts, then take the new bytes over.
 */
const golden = {
  version: 2,
  capturePayment:
    '000000ac04920747af636170747572655f7061796d656e7448b66b3359783061513976426e346d433764453166473268b670384c77357a5236745569326f503461533764463967be7061795f30316677686534796467666b3173686836773167363065656366bf686f6c645f30316677686534796467666b3173686836773167363065656366a6737472697065bb70695f334d747742774c6b64497748753769783238613374715061cd1387a3757364',
  commit:
    '000001600595cd126794be736b755f30316677686534796467666b3173686836773167363065656366cd01f403ce0001117091bf64726f705f30316677686534796467666b3173686836773167363065656366c398074fb07061796d656e745f7265636f7264656453be7061795f30316677686534796467666b3173686836773167363065656366a6737472697065bb70695f334d747742774c6b64497748753769783238613374715061bf686f6c645f30316677686534796467666b3173686836773167363065656366be6f72645f30316677686534796467666b3173686836773167363065656366cd1387a3757364a86361707475726564c0cb427a3185c5000000c0000000c2c20852a8736f6c645f6f7574a464726f70b6546869732064726f7020697320736f6c64206f75742e0992c0cb4278bcfe568000000a9692cd01f4ce0001117090ce00011364a3757364cb4278bcfe56800000cb4278bcfee8fc0000',
}
function checkBytes(frames: readonly Buffer[], expected: string): void {
  expect(protocolVersion).toBe(golden.version)
  const bytes = Buffer.concat(frames).toString('hex')
  if (bytes === expected) return
  throw new Error(`the wire format changed: raise protocolVersion in messages.ts, then renew these bytes: ${bytes}`)
}

it('Codec encodes a capture_payment command in the bytes of this protocol version', () => {
  checkBytes(new Codec().encodeCommands([{ id: 7, command: sampleCommands.capture_payment }]), golden.capturePayment)
})

it('Codec encodes a commit in the bytes of this protocol version', () => {
  const frames = new Codec().encodeCommit({
    seq: 4_711,
    skus: [{ skuId: 'sku_01fwhe4ydgfk1shh6w1g60eecf', stock: 500, held: 3, sold: 70_000 }],
    dropIds: ['drop_01fwhe4ydgfk1shh6w1g60eecf'],
    apiKeysChanged: true,
    replies: [
      { id: 7, result: sampleResults.payment_recorded },
      { id: 8, result: { outcome: 'sold_out', param: 'drop', detail: 'This drop is sold out.' } },
      { id: 9, result: [null, 1_700_000_000_000] },
      { id: 10, result: [[500, 70_000], [], 70_500, 'usd', 1_700_000_000_000, 1_700_000_600_000] },
    ],
  })
  checkBytes(frames, golden.commit)
})

/** Names that are written out cost bytes in every message: objects of the hot paths must be of a known structure. */
const namesThatMayShow: Readonly<Record<string, readonly string[]>> = {
  // Changes and metadata have any shape.
  update_drop: Object.keys(sampleCommands.update_drop.changes).concat('a'),
  create_drop: ['team', 'amountMinor', 'basisPoints'],
}
const seldomOutcomes = new Set<string>([
  'payment_attached',
  'refund_saved',
  'dispute_saved',
  'fact_taken',
  'checkout_saved',
  'checkout_closed',
  'order_saved',
  'api_key_saved',
  'webhook_endpoint_saved',
  'webhook_delivery_saved',
  'webhook_outcomes_saved',
])

/** Every field name inside `value`. */
function namesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  const own = Array.isArray(value) ? [] : Object.keys(value)
  return [...own, ...Object.values(value).flatMap(namesIn)]
}

const frequent = Object.entries(sampleCommands).filter(([kind]) => !(kind in rareSchemas))

it.each(frequent)('Codec writes %s without the names of its fields', (kind, command) => {
  const [frame] = new Codec().encodeCommands([{ id: 1, command }])
  const bytes = frame?.toString('latin1') ?? ''
  const allowed = namesThatMayShow[kind] ?? []
  // Short names may occur in values.
  const names = namesIn(command).filter((name) => name.length > 5 && !allowed.includes(name))
  expect(names.filter((name) => bytes.includes(name))).toEqual([])
})

// What the writer's own expire_holds answers never travels; keys are touched once a minute.
const travelling = Object.entries(sampleResults).filter(
  ([, { outcome: name }]) => name !== 'holds_expired' && name !== 'keys_touched' && !seldomOutcomes.has(name),
)

// A seller's drop and what is seldom answered are written with their names; the outcome payment_recorded contains one.
function allowedNames(result: Result): string[] {
  if (result.outcome === 'drop_saved') return Object.keys(result.drop)
  if (result.outcome === 'customer_erased') return ['customer', 'countedIn']
  return result.outcome === 'code_activated' ? Object.keys(result) : ['payment']
}

it.each(travelling)('Codec writes the result %s without the names of its fields', (_, result) => {
  const [frame] = new Codec().encodeCommit({
    seq: 1,
    skus: [],
    dropIds: [],
    apiKeysChanged: false,
    replies: [{ id: 1, result }],
  })
  const bytes = frame?.toString('latin1') ?? ''
  const allowed = allowedNames(result)
  const names = namesIn(result).filter((name) => name.length > 5 && !allowed.includes(name))
  expect(names.filter((name) => bytes.includes(name))).toEqual([])
})

function numbered(count: number, command: Command): NumberedCommand[] {
  return Array.from({ length: count }, (_, id) => ({ id, command }))
}

it.each([
  ['one frame for as many commands as a frame may have', commandsPerFrameMax, 0, 1],
  ['two frames for one more', commandsPerFrameMax + 1, 0, 2],
  ['frames below frameBytesMax for long commands', 5, 250_000, 2],
  ['a frame each for the longest commands', 4, 600_000, 4],
])('Codec encodeCommands makes %s', (_, count, padding, frameCount) => {
  const metadata = { team: 'x'.repeat(padding) }
  const commands = numbered(count, { ...sampleCommands.create_drop, metadata })
  const from = new Codec()
  const frames = from.encodeCommands(commands)
  expect(frames).toHaveLength(frameCount)
  for (const frame of frames) expect(frame.length).toBeLessThanOrEqual(frameBytesMax + 4)
  expect(sendCommands(new Codec(), new Codec(), commands)).toEqual(commands)
})

it('Codec encodeCommands makes an empty frame of no commands', () => {
  expect(sendCommands(new Codec(), new Codec(), [])).toEqual([])
})

it('Codec encodeCommit splits many replies, in order, and repeats the changes in every part', () => {
  const skus: SkuCounters[] = [{ skuId: 'sku_1', stock: 5, held: 1, sold: 2 }]
  const replies = Array.from({ length: 1_000 }, (_, id) => ({
    id,
    result: { outcome: 'sold_out', param: null, detail: 'x'.repeat(5_000) } as const,
  }))
  const commitOfAll = { seq: 9, skus, dropIds: ['drop_1'], apiKeysChanged: true, replies }
  for (const frame of new Codec().encodeCommit(commitOfAll)) expect(frame.length).toBeLessThanOrEqual(frameBytesMax + 4)
  const parts = sendCommit(new Codec(), new Codec(), commitOfAll)
  expect(parts.length).toBeGreaterThan(4)
  expect(parts.flatMap((part) => part.replies)).toEqual(replies)
  for (const part of parts) expect(part).toMatchObject({ seq: 9, skus, dropIds: ['drop_1'], apiKeysChanged: true })
})

it.each<[string, () => unknown]>([
  [
    'a command',
    () => new Codec().encodeCommands(numbered(1, { ...sampleCommands.create_drop, name: 'x'.repeat(frameBytesMax) })),
  ],
  ['a refusal', () => new Codec().encodeRefusal({ reason: 'x'.repeat(frameBytesMax) })],
])('Codec refuses to encode %s that no frame can hold: a bug, as bodies are bounded', (_, encode) => {
  expect(encode).toThrow(RangeError)
})

const hex = (bytes: string): Buffer => Buffer.from(bytes.replaceAll(' ', ''), 'hex')
const [validFrame = Buffer.alloc(0)] = new Codec().encodeCommands(numbered(3, sampleCommands.create_hold))
const validCommands = validFrame.subarray(5)

/** Payloads that a broken or hostile peer may send (fault plan F13). */
const hostile: readonly (readonly [string, Buffer])[] = [
  ['nothing', hex('')],
  ['not a list', hex('c0')],
  ['a text', hex('a3 616263')],
  ['an odd number of values', hex('91 01')],
  ['a command number that is none', hex('92 a1 61 c0')],
  ['a command number with a fraction', hex('92 cb 3ff8000000000000 c0')],
  ['a command number of 2^63', hex('92 cf 8000000000000000 c0')],
  ['a command that is null', hex('92 01 c0')],
  ['a command that is an empty map', hex('92 01 80')],
  ['more bytes than one value', hex('90 90')],
  ['the byte that is never used', hex('92 01 c1')],
  ['an unknown extension', hex('92 01 d4 42 00')],
  ['an extension that ends early', hex('92 01 c9 ffffffff 42')],
  ['a timestamp', hex('92 01 d6 ff 00000000')],
  ['a timestamp as number', hex('92 d6 ff 00000000 80')],
  ['a reference to nothing', hex('92 01 d6 70 00000063')],
  ['a structured clone that contains itself', hex('d6 69 00000001 92 01 d6 70 00000001')],
  ['an error object', hex('92 01 c7 01 65 93')],
  ['a regular expression that backtracks', hex('92 01 c7 0c 78 92 a8 28612b292b24 7878 a0')],
  ['bundled strings', hex('92 01 d6 62 00000005 a1 61')],
  ['a record with an id beyond the structures', hex('92 01 7f')],
  ['a record definition with no names', hex('92 01 d4 72 60 90')],
  ['a record definition that redefines a structure', hex('92 01 d4 72 40 91 a4 6b696e64 a1 78')],
  ['a record definition with a hostile name', hex('92 01 d4 72 60 91 a9 5f5f70726f746f5f5f 80')],
  ['a record definition with names that are code', hex('92 01 d4 72 60 91 ad 61277d3b7468726f772031 3b7b 01')],
  ['a list of 2^32-1 values', hex('dd ffffffff')],
  ['a list of 2^25-1 values', hex('dd 01ffffff 01')],
  ['a map of 2^32-1 entries', hex('df ffffffff')],
  ['a map of 65,535 entries', hex('92 01 de ffff a1 61 01')],
  ['a text of 2^32-1 bytes', hex('92 01 db ffffffff 61')],
  ['bytes of 2^32-1', hex('92 01 c6 ffffffff 61')],
  ['lists in lists, 1 MB deep', Buffer.alloc(1_000_000, 0x91)],
  ['maps in maps, 1 MB deep', Buffer.from('81a161'.repeat(300_000), 'hex')],
  ['records in records, 1 MB deep', Buffer.alloc(1_000_000, 0x44)],
  ['a thousand lists that each claim 2^25 values', Buffer.from('dd01ffffff'.repeat(1_000), 'hex')],
  ['a hundred thousand lists that each claim 2^32-1 values', Buffer.from('ddffffffff'.repeat(100_000), 'hex')],
]

it.each(hostile)('Codec decodeCommands refuses %s with FrameError', (_, payload) => {
  expect(() => new Codec().decodeCommands(payload)).toThrow(FrameError)
})

it.each(hostile)('Codec decodes the next message of another connection after %s', (_, payload) => {
  const broken = new Codec()
  const good = new Codec()
  expect(() => broken.decodeCommands(payload)).toThrow(FrameError)
  expect(good.decodeCommands(validCommands)).toEqual(numbered(3, sampleCommands.create_hold))
  expect(({} as Record<string, unknown>)['kind']).toBeUndefined()
})

it.each(hostile)('Codec decodes no handshake from %s', (_, payload) => {
  const codec = new Codec()
  const decoders = [
    () => codec.decodeHello(payload),
    () => codec.decodeWelcome(payload),
    () => codec.decodeRefusal(payload),
    () => codec.decodeCommit(payload),
  ]
  for (const decode of decoders) expect(decode).toThrow(FrameError)
})

it('Codec decodeCommands refuses a payload cut at any byte', () => {
  const codec = new Codec()
  for (let length = 0; length < validCommands.length; length++) {
    expect(() => codec.decodeCommands(validCommands.subarray(0, length)), `cut at ${length}`).toThrow(FrameError)
  }
})

/** True when decoding gave commands, false when it threw FrameError; any other error fails the test. */
function decodes(payload: Buffer): boolean {
  try {
    new Codec().decodeCommands(payload)
    return true
  } catch (error) {
    if (error instanceof FrameError) return false
    throw error
  }
}

it('Codec decodeCommands answers random bytes with FrameError only', () => {
  const bytes = fc.uint8Array({ maxLength: 400 }).map((array) => Buffer.from(array))
  // Starting as a list of two with a number brings more of them past the first checks.
  fc.assert(
    fc.property(bytes, (payload) => {
      decodes(payload)
      expect(decodes(Buffer.concat([hex('92 01'), payload]))).toBe(false)
    }),
    { numRuns: 3_000 },
  )
})

it('Codec decodeCommands answers any damage to a good payload with FrameError, or reads it as commands', () => {
  const damage = fc.array(fc.tuple(fc.nat({ max: validCommands.length - 1 }), fc.integer({ min: 0, max: 255 })), {
    minLength: 1,
    maxLength: 4,
  })
  fc.assert(
    fc.property(damage, (changesOfBytes) => {
      const payload = Buffer.from(validCommands)
      for (const [at, byte] of changesOfBytes) payload[at] = byte
      decodes(payload)
    }),
    { numRuns: 3_000 },
  )
})

it.each(Object.getOwnPropertyNames(Object.prototype).concat('toJSON', 'then', 'length'))(
  'Codec carries metadata with the keys toJSON and %s',
  (name) => {
    const metadata = { [name]: 'x', toJSON: 'y', constructor: 'z' }
    const [received] = sendCommands(new Codec(), new Codec(), [
      { id: 1, command: { ...sampleCommands.create_drop, metadata } },
    ])
    expect(JSON.stringify(received?.command)).toBe(JSON.stringify({ ...sampleCommands.create_drop, metadata }))
  },
)
