import { expect, it } from 'vitest'
import { newHold } from '@penstock/domain/hold.ts'
import { newPayment } from '@penstock/domain/new-payment.ts'
import { briefResult, fullResult } from './brief-result.ts'
import { Codec } from './codec.ts'
import { FrameError, FrameReader } from './frame.ts'
import type { CapturePayment, Command, CreateHold } from '@penstock/domain/command.ts'
import type { HoldTerms } from '@penstock/domain/hold.ts'
import type { Accepted, Result } from '@penstock/domain/result.ts'
import type { BriefResult } from './brief-result.ts'

const capture: CapturePayment = {
  kind: 'capture_payment',
  key: { id: 'key', fingerprint: 'print' },
  paymentId: 'pay_01k00000000000000000000000',
  holdId: 'hold_1',
  provider: 'stripe',
  providerPaymentId: 'pi_1',
  amountMinor: 1_100,
  currency: 'usd',
}
const create: CreateHold = {
  kind: 'create_hold',
  key: null,
  holdId: 'hold_1',
  clientSecret: 'cs_1',
  dropId: 'drop_1',
  lines: [
    { skuId: 'sku_1', quantity: 2 },
    { skuId: 'sku_2', quantity: 1 },
  ],
  customer: { email: 'a@example.org', phone: null, externalId: null, name: null, shippingAddress: null },
  replace: null,
}
const terms: HoldTerms = {
  dropId: 'drop_1',
  lines: [
    { skuId: 'sku_1', quantity: 2, unitAmountMinor: 500 },
    { skuId: 'sku_2', quantity: 1, unitAmountMinor: 0 },
  ],
  fees: [{ name: 'Shipping', kind: 'shipping', amountMinor: 100 }],
  amountMinor: 1_100,
  currency: 'usd',
  createdMs: 1_700_000_000_001,
  expiresMs: 1_700_000_600_000,
}
const release: Command = { kind: 'release_hold', key: null, holdId: 'hold_1', proof: null }

const paid = newPayment(capture, null, 1_700_000_000_000)
const recorded = { outcome: 'payment_recorded', payment: paid, duplicate: false, replayed: false } as const
const hold = newHold(create, terms)
const created = { outcome: 'hold_created', hold, replayed: false } as const

/** What `result` becomes on its way through a frame. */
function overWire(command: Command, result: Result): Result {
  const [sender, receiver] = [new Codec(), new Codec()]
  const received: (Result | BriefResult)[] = []
  const reader = new FrameReader((_, payload) => {
    for (const reply of receiver.decodeCommit(payload).replies) received.push(reply.result)
  })
  const replies = [{ id: 1, result: briefResult(command, result) }]
  for (const frame of sender.encodeCommit({ seq: 1, skus: [], dropIds: [], apiKeysChanged: false, replies })) {
    reader.push(frame)
  }
  const [first] = received
  if (first === undefined) throw new Error('nothing was received')
  return fullResult(command, first)
}

const lateMoney = (reason: 'unknown_hold' | 'sold_out'): Accepted => ({
  ...recorded,
  payment: newPayment(capture, reason, 1_700_000_000_000),
})

it.each<[string, Command, Result, BriefResult]>([
  ['a new payment with goods', capture, recorded, [null, 1_700_000_000_000]],
  ['a new payment of an unknown hold', capture, lateMoney('unknown_hold'), ['unknown_hold', 1_700_000_000_000]],
  ['a new payment that goes back', capture, lateMoney('sold_out'), ['sold_out', 1_700_000_000_000]],
  ['a new hold', create, created, [[500, 0], terms.fees, 1_100, 'usd', 1_700_000_000_001, 1_700_000_600_000]],
])('briefResult of %s is what the writer added, and comes back whole', (_, command, result, brief) => {
  expect(briefResult(command, result)).toStrictEqual(brief)
  expect(overWire(command, result)).toStrictEqual(result)
})

it.each<[string, Command, Result]>([
  ['a duplicate payment', capture, { ...recorded, duplicate: true }],
  ['a replayed payment', capture, { ...recorded, replayed: true }],
  ['a payment that came under another id', capture, { ...recorded, payment: { ...paid, id: 'pay_other' } }],
  ['a payment whose order has an old id', capture, { ...recorded, payment: { ...paid, orderId: 'ord_old' } }],
  ['a payment that answers another command', release, recorded],
  ['a replayed hold', create, { ...created, replayed: true }],
  ['a stored hold, sent again', create, { ...created, hold: { ...hold, customer: { ...create.customer } } }],
  ['a stored hold without its customer', create, { ...created, hold: { ...hold, customer: { countedIn: ['x'] } } }],
  ['a hold that answers another command', release, created],
  ['a refusal', capture, { outcome: 'payment_conflict', param: 'provider_payment_id', detail: 'Other facts.' }],
])('briefResult leaves %s whole', (_, command, result) => {
  expect(briefResult(command, result)).toBe(result)
  expect(overWire(command, result)).toStrictEqual(result)
})

it.each<[string, Command, BriefResult]>([
  ['a payment for a hold', create, [null, 1]],
  ['a hold for a payment', capture, [[1], [], 1, 'usd', 1, 1]],
  ['a payment for anything else', release, [null, 1]],
  ['a hold with too few prices', create, [[500], [], 1_100, 'usd', 1, 2]],
])('fullResult refuses %s', (_, command, brief) => {
  expect(() => fullResult(command, brief)).toThrow(FrameError)
})
