import { expect, it } from 'vitest'
import { isRejected } from '@penstock/domain/result.ts'
import {
  attachCommand,
  cancelCommand,
  captureCommand,
  closeCommand,
  disputeCommand,
  dropCommand,
  expireCommand,
  fulfilCommand,
  holdCommand,
  keyCommand,
  openSale,
  phaseCommand,
  refundCommand,
  releaseCommand,
  requestKey,
  restockCommand,
  deleteEndpointCommand,
  endpointCommand,
  outcomesCommand,
  replayCommand,
  retryCommand,
  rotateCommand,
  settleCommand,
  updateEndpointCommand,
  revokeCommand,
  rollCommand,
  shoe,
  startMs,
  TestSale,
  touchCommand,
  ttlMs,
  updateCommand,
  checkoutCommand,
  closeCheckoutCommand,
  refundFact,
} from './test-sale.ts'
import type { Command, CommandKind } from '@penstock/domain/command.ts'

interface Case {
  /** What happens before. */
  readonly before?: readonly Command[]
  readonly command: Command
  /** The same request as a client sends it again: other minted ids, the same meaning. */
  readonly again: Command
  /** What happens between the two and must not show in the second answer. */
  readonly meanwhile: (sale: TestSale) => void
}

const key = requestKey('k1')

/** Every kind of command that may have a key. hold_1, key_1, key_2 and whe_1 are there before. */
const cases: Record<Exclude<CommandKind, 'expire_holds' | 'touch_keys' | 'record_webhook_outcomes'>, Case> = {
  create_drop: {
    command: { ...dropCommand({ dropId: 'drop_2', skus: [] }), key },
    again: { ...dropCommand({ dropId: 'drop_3', skus: [] }), key },
    meanwhile: (sale) => sale.accept(updateCommand({ dropId: 'drop_2', changes: { name: 'Later' } })),
  },
  update_drop: {
    command: updateCommand({ key, changes: { name: 'Once' } }),
    again: updateCommand({ key, changes: { name: 'Once' } }),
    meanwhile: (sale) => sale.accept(updateCommand({ changes: { name: 'Twice' } })),
  },
  change_drop_phase: {
    command: { ...phaseCommand('pause'), key },
    again: { ...phaseCommand('pause'), key },
    meanwhile: (sale) => sale.accept(phaseCommand('resume')),
  },
  restock_sku: {
    command: restockCommand(5, { key }),
    again: restockCommand(5, { key }),
    meanwhile: (sale) => sale.accept(restockCommand(-3)),
  },
  create_hold: {
    command: holdCommand('hold_2', { key }),
    again: holdCommand('hold_3', { key, clientSecret: 'another' }),
    meanwhile: (sale) => sale.accept(captureCommand('hold_2')),
  },
  release_hold: {
    command: releaseCommand('hold_1', { key }),
    again: releaseCommand('hold_1', { key }),
    meanwhile: (sale) => sale.accept(captureCommand('hold_1')),
  },
  capture_payment: {
    command: captureCommand('hold_1', { key }),
    again: captureCommand('hold_1', { key, paymentId: 'pay_2' }),
    meanwhile: (sale) => sale.accept(refundCommand('rfnd_2', { amountMinor: 1 }), disputeCommand('dsp_2')),
  },
  attach_payment: {
    before: [captureCommand('hold_none')],
    command: attachCommand('hold_1', { key }),
    again: attachCommand('hold_1', { key }),
    meanwhile: (sale) => sale.accept(refundCommand('rfnd_2', { paymentId: 'pay_paid for hold_none' })),
  },
  create_refund: {
    before: [captureCommand('hold_1', { provider: 'stripe' })],
    command: refundCommand('rfnd_1', { key }),
    again: refundCommand('rfnd_2', { key }),
    meanwhile: (sale) => sale.accept(settleCommand('rfnd_1', 'failed')),
  },
  settle_refund: {
    before: [captureCommand('hold_1', { provider: 'stripe' }), refundCommand('rfnd_1', { amountMinor: 5 })],
    command: { kind: 'settle_refund', key, refundId: 'rfnd_1', status: 'failed' },
    again: { kind: 'settle_refund', key, refundId: 'rfnd_1', status: 'failed' },
    meanwhile: (sale) => sale.accept(refundCommand('rfnd_2')),
  },
  open_dispute: {
    before: [captureCommand('hold_1')],
    command: disputeCommand('dsp_1', { key }),
    again: disputeCommand('dsp_2', { key, providerDisputeId: 'bank dsp_1' }),
    meanwhile: (sale) => sale.accept(closeCommand('dsp_1', 'won')),
  },
  take_fact: {
    before: [captureCommand('hold_1', { provider: 'stripe' })],
    command: { ...refundFact('re_1'), key },
    again: { ...refundFact('re_1'), key },
    meanwhile: (sale) => sale.accept(refundFact('re_1', { status: 'failed' })),
  },
  open_checkout: {
    command: checkoutCommand('hold_1', { key }),
    again: checkoutCommand('hold_1', { key }),
    meanwhile: (sale) => sale.accept(closeCheckoutCommand('hold_1')),
  },
  close_checkout: {
    before: [checkoutCommand('hold_1')],
    command: closeCheckoutCommand('hold_1', { key }),
    again: closeCheckoutCommand('hold_1', { key }),
    meanwhile: (sale) => sale.accept(captureCommand('hold_1')),
  },
  close_dispute: {
    before: [captureCommand('hold_1'), disputeCommand('dsp_1')],
    command: { kind: 'close_dispute', key, disputeId: 'dsp_1', status: 'won' },
    again: { kind: 'close_dispute', key, disputeId: 'dsp_1', status: 'won' },
    meanwhile: (sale) => sale.accept(disputeCommand('dsp_2')),
  },
  cancel_order: {
    before: [captureCommand('hold_1', { provider: 'stripe' })],
    command: cancelCommand({ key }),
    again: cancelCommand({ key, refundId: 'rfnd_2' }),
    meanwhile: (sale) => sale.accept(settleCommand('rfnd_cancel', 'failed')),
  },
  fulfil_order: {
    before: [captureCommand('hold_1')],
    command: fulfilCommand({ key }),
    again: fulfilCommand({ key }),
    meanwhile: (sale) => sale.accept(refundCommand('rfnd_2')),
  },
  erase_customer: {
    command: { kind: 'erase_customer', key, holdId: 'hold_1' },
    again: { kind: 'erase_customer', key, holdId: 'hold_1' },
    meanwhile: (sale) => sale.accept(captureCommand('hold_1')),
  },
  use_code: {
    command: { kind: 'use_code', key, orderId: 'ord_1', holdId: 'hold_1', unit: 0 },
    again: { kind: 'use_code', key, orderId: 'ord_1', holdId: 'hold_1', unit: 0 },
    meanwhile: () => undefined,
  },
  create_key: {
    command: keyCommand('key_3', { key }),
    again: keyCommand('key_4', { key }),
    meanwhile: (sale) => sale.accept(revokeCommand('key_3')),
  },
  roll_key: {
    command: rollCommand('key_2', 'key_3', { key }),
    again: rollCommand('key_2', 'key_4', { key }),
    meanwhile: (sale) => sale.accept(revokeCommand('key_3')),
  },
  revoke_key: {
    command: revokeCommand('key_2', key),
    again: revokeCommand('key_2', key),
    meanwhile: (sale) => sale.accept(touchCommand(['key_2', startMs])),
  },
  create_webhook_endpoint: {
    command: endpointCommand('whe_2', { key }),
    again: endpointCommand('whe_3', { key }),
    meanwhile: (sale) => sale.accept(updateEndpointCommand({ description: 'Later' }, 'whe_2')),
  },
  update_webhook_endpoint: {
    command: updateEndpointCommand({ description: 'Once' }, 'whe_1', key),
    again: updateEndpointCommand({ description: 'Once' }, 'whe_1', key),
    meanwhile: (sale) => sale.accept(updateEndpointCommand({ description: 'Twice' })),
  },
  delete_webhook_endpoint: {
    command: deleteEndpointCommand('whe_1', key),
    again: deleteEndpointCommand('whe_1', key),
    meanwhile: (sale) => sale.accept(endpointCommand('whe_2')),
  },
  rotate_webhook_secret: {
    command: rotateCommand('s2', { key }),
    again: rotateCommand('s3', { key }),
    meanwhile: (sale) => sale.accept(updateEndpointCommand({ description: 'Later' })),
  },
  retry_webhook_delivery: {
    before: [outcomesCommand()],
    command: retryCommand({ key }),
    again: retryCommand({ key }),
    meanwhile: (sale) => sale.accept(outcomesCommand()),
  },
  replay_webhook_events: {
    command: replayCommand(1, 2, { key }),
    again: replayCommand(1, 2, { key }),
    meanwhile: (sale) => sale.accept(outcomesCommand({ replay: { nextSeq: 3, toSeq: 2 } })),
  },
}

function openSaleWithRows(before: readonly Command[] = []): TestSale {
  const sale = openSale()
  sale.accept(holdCommand('hold_1'), keyCommand('key_1'), keyCommand('key_2'), endpointCommand('whe_1'))
  sale.accept(...before)
  return sale
}

it.each(Object.entries(cases))('decide %s with the same key gives the first answer, marked replayed', (_, row) => {
  const sale = openSaleWithRows(row.before)
  const first = sale.run(row.command)
  expect(first).toMatchObject({ replayed: false })
  row.meanwhile(sale)
  sale.nowMs += 5
  const { writes } = sale.set
  expect(sale.run(row.again)).toEqual({ ...first, replayed: true })
  expect(sale.set.writes).toBe(writes)
})

it.each(Object.entries(cases))('decide %s with the key of another request is refused: key_reused', (_, row) => {
  const sale = openSaleWithRows(row.before)
  sale.accept(row.command)
  const { writes } = sale.set
  const other = { ...row.again, key: requestKey('k1', 'another') } as Command
  expect(sale.run(other)).toEqual({ outcome: 'key_reused', param: null, detail: expect.any(String) })
  expect(sale.set.writes).toBe(writes)
})

it.each(Object.entries(cases))('decide %s asks for the key before anything else', (_, row) => {
  // The key belongs to another request; nothing the command names exists. The key is what is answered.
  const sale = new TestSale()
  sale.accept({ ...dropCommand({ dropId: 'drop_9', skus: [] }), key: requestKey('k1', 'first') })
  expect(sale.run(row.command)).toMatchObject({ outcome: 'key_reused' })
})

interface Refused {
  readonly what: string
  readonly command: Command
  /** What has to happen for the same request to succeed. */
  readonly repair: (sale: TestSale) => void
}

const refused: readonly Refused[] = [
  {
    what: 'create_hold of a sold out SKU',
    command: holdCommand('hold_2', { key, lines: [{ skuId: shoe, quantity: 11 }] }),
    repair: (sale) => sale.accept(restockCommand(5)),
  },
  {
    what: 'create_hold in a paused drop',
    command: holdCommand('hold_2', { key, dropId: 'drop_2', lines: [{ skuId: 'sku_2', quantity: 1 }] }),
    repair: (sale) => sale.accept(phaseCommand('publish', 'drop_2')),
  },
  {
    what: 'release_hold of an unknown hold',
    command: releaseCommand('hold_2', { key }),
    repair: (sale) => sale.accept(holdCommand('hold_2')),
  },
  {
    what: 'restock_sku below what is held',
    command: restockCommand(-10, { key }),
    repair: (sale) => sale.accept(releaseCommand('hold_1')),
  },
  {
    what: 'change_drop_phase before its time',
    command: { kind: 'change_drop_phase', key, dropId: 'drop_2', action: 'pause' },
    repair: (sale) => sale.accept(phaseCommand('publish', 'drop_2')),
  },
  {
    what: 'update_drop of an unknown SKU',
    command: updateCommand({
      key,
      skuChanges: [{ skuId: 'sku_3', name: 'X', unitAmountMinor: null, maxPerOrder: null }],
    }),
    repair: (sale) =>
      sale.accept(
        updateCommand({ newSkus: [{ id: 'sku_3', name: 'New', unitAmountMinor: 1, stock: 1, maxPerOrder: null }] }),
      ),
  },
  {
    what: 'create_drop with an end that comes too early',
    command: { ...dropCommand({ dropId: 'drop_4', skus: [], endsAtMs: 1_699_999_999_000 }), key },
    repair: (sale) => {
      sale.nowMs = 1_600_000_000_000
    },
  },
  {
    what: 'create_key with an expiry in the past',
    command: keyCommand('key_1', { key, expiresAtMs: startMs }),
    repair: (sale) => {
      sale.nowMs -= 1
    },
  },
  {
    what: 'revoke_key of the last one',
    command: revokeCommand('key_9', key),
    repair: (sale) => sale.accept(keyCommand('key_2')),
  },
]

it.each(refused)('decide a refused $what leaves its key free', ({ command, repair }) => {
  const sale = openSale()
  sale.accept(holdCommand('hold_1'))
  sale.accept(
    dropCommand({
      dropId: 'drop_2',
      skus: [{ id: 'sku_2', name: 'X', unitAmountMinor: 1, stock: 1, maxPerOrder: null }],
    }),
  )
  sale.accept(keyCommand('key_9'))
  expect(isRejected(sale.run(command))).toBe(true)
  expect(sale.set.requests.find('k1')).toBeUndefined()
  repair(sale)
  const second = sale.run(command)
  expect(second).toMatchObject({ replayed: false })
  expect(sale.run(command)).toEqual({ ...second, replayed: true })
})

it('decide remembers that a payment was a duplicate, under the key that said so', () => {
  const sale = openSale()
  sale.accept(holdCommand('hold_1'), captureCommand('hold_1', { key }))
  const other = captureCommand('hold_1', { key: requestKey('k2'), paymentId: 'pay_2' })
  const duplicate = sale.run(other)
  expect(duplicate).toMatchObject({ duplicate: true, replayed: false })
  expect(sale.run(other)).toEqual({ ...duplicate, replayed: true })
  expect(sale.run(captureCommand('hold_1', { key }))).toMatchObject({ duplicate: false, replayed: true })
})

it('decide replays a payment that was attached since as unmatched, and reports it again with its order', () => {
  const sale = openSale()
  const command = captureCommand('hold_none', { key })
  sale.accept(holdCommand('hold_1'))
  const first = sale.run(command)
  sale.accept(attachCommand('hold_1'))
  expect(sale.run(command)).toEqual({ ...first, replayed: true })
  // The provider tells it again: with the hold it knows, not with the one the seller chose.
  const again = sale.run(captureCommand('hold_none', { paymentId: 'pay_2' }))
  expect(again).toMatchObject({
    duplicate: true,
    payment: { orderId: 'ord_paid for hold_none', attachedHoldId: 'hold_1' },
  })
})

it.each<[string, Partial<ReturnType<typeof captureCommand>>, string]>([
  ['captured', {}, 'captured'],
  ['due for a refund', { amountMinor: 1 }, 'refund_due'],
  ['unmatched', { holdId: 'hold_none' }, 'unmatched'],
])('decide replays a payment that was %s with its status', (_, facts, status) => {
  const sale = openSale()
  sale.accept(holdCommand('hold_1'))
  const command = captureCommand('hold_1', { key, ...facts })
  const first = sale.run(command)
  expect(first).toMatchObject({ payment: { status } })
  expect(sale.run(command)).toEqual({ ...first, replayed: true })
})

/** A create or capture without a key is its own key: the very same object sent again after a writer restart. */
it.each<[string, Command]>([
  ['create_drop', dropCommand({ dropId: 'drop_2', skus: [] })],
  [
    'update_drop',
    updateCommand({ newSkus: [{ id: 'sku_9', name: 'X', unitAmountMinor: 1, stock: 1, maxPerOrder: null }] }),
  ],
  ['change_drop_phase', phaseCommand('pause')],
  ['restock_sku', restockCommand(1)],
  ['create_hold', holdCommand('hold_2')],
  ['release_hold', releaseCommand('hold_1')],
  ['expire_holds', expireCommand],
  ['capture_payment', captureCommand('hold_1')],
  ['capture_payment without goods', captureCommand('hold_1', { amountMinor: 3 })],
  ['create_key', keyCommand('key_3')],
  ['roll_key', rollCommand('key_2', 'key_3')],
  ['revoke_key', revokeCommand('key_2')],
  ['create_webhook_endpoint', endpointCommand('whe_2')],
  ['update_webhook_endpoint', updateEndpointCommand({ status: 'disabled' })],
  ['delete_webhook_endpoint', deleteEndpointCommand()],
  ['rotate_webhook_secret', rotateCommand('s2')],
  ['replay_webhook_events', replayCommand(1, 2)],
  ['record_webhook_outcomes', outcomesCommand()],
  ['attach_payment', attachCommand('hold_1')],
  ['create_refund', refundCommand('rfnd_9', { paymentId: 'pay_paid for hold_0', amountMinor: 1 })],
  ['create_refund that is pending', refundCommand('rfnd_9', { paymentId: 'pay_paid for hold_0b', amountMinor: 1 })],
  ['settle_refund', settleCommand('rfnd_0', 'succeeded')],
  ['settle_refund that failed', settleCommand('rfnd_0', 'failed')],
  ['open_dispute', disputeCommand('dsp_9', { paymentId: 'pay_paid for hold_0' })],
  ['close_dispute', closeCommand('dsp_0', 'lost')],
  ['take_fact', refundFact('re_1', { providerPaymentId: 'paid for hold_0b', amountMinor: 5 })],
  ['take_fact that waits', refundFact('re_1', { providerPaymentId: 'none' })],
  ['open_checkout', checkoutCommand('hold_1')],
  ['close_checkout', closeCheckoutCommand('hold_0b')],
  ['cancel_order', cancelCommand({ orderId: 'ord_paid for hold_0', restock: true })],
  ['fulfil_order', fulfilCommand({ orderId: 'ord_paid for hold_0' })],
])('decide %s sent twice has one effect and one answer', (kind, command) => {
  const sale = openSale({ maxPerCustomer: 5 })
  sale.accept(
    ...['hold_1', 'hold_0', 'hold_0b'].map((id) => holdCommand(id)),
    captureCommand('hold_none'),
    captureCommand('hold_0'),
    captureCommand('hold_0b', { provider: 'stripe' }),
    refundCommand('rfnd_0', { paymentId: 'pay_paid for hold_0b', amountMinor: 50 }),
    disputeCommand('dsp_0', { paymentId: 'pay_paid for hold_0b', amountMinor: 20 }),
    keyCommand('key_1'),
    keyCommand('key_2'),
  )
  const first = sale.run(command)
  const before = structuredClone(tables(sale))
  expect(sale.run(command)).toEqual(kind === 'restock_sku' ? { ...first, replayed: true } : first)
  expect(tables(sale)).toEqual(before)
})

it('decide lets a hold that expired be expired, released and paid late, each once', () => {
  const sale = openSale()
  sale.accept(holdCommand('hold_1'))
  sale.nowMs += ttlMs
  expect(sale.run(expireCommand)).toMatchObject({ count: 1 })
  expect(sale.run(releaseCommand('hold_1'))).toMatchObject({ hold: { status: 'expired' } })
  expect(sale.run(captureCommand('hold_1'))).toMatchObject({ payment: { status: 'captured' } })
  expect(sale.run(expireCommand)).toMatchObject({ count: 0 })
  expect(sale.run(releaseCommand('hold_1'))).toMatchObject({ outcome: 'hold_not_active' })
  expect(sale.counters(shoe)).toEqual([0, 1])
})

function tables({ set }: TestSale) {
  return { rows: set.tables.map((table) => table.rows), entries: set.entries }
}
