import { expect, it } from 'vitest'
import {
  captureCommand,
  dropId,
  expireCommand,
  holdCommand,
  keyCommand,
  openSale,
  phaseCommand,
  releaseCommand,
  restockCommand,
  revokeCommand,
  rollCommand,
  startMs,
  touchCommand,
  ttlMs,
  updateCommand,
} from './test-sale.ts'
import type { Command } from '@penstock/domain/command.ts'
import type { TestSale } from './test-sale.ts'

/** What `commands` add to the outbox of a sale in which hold_1 is active, hold_paid was paid and there is key_1. */
const told: readonly (readonly [string, readonly Command[], readonly string[]])[] = [
  ['a change of a drop', [updateCommand({ changes: { name: 'Boot' } })], [`drop.updated ${dropId}`]],
  ['a change of a drop to what it is', [updateCommand({ changes: { name: 'Shoe' } })], []],
  ['a restock', [restockCommand(1)], [`drop.updated ${dropId}`]],
  [
    'a pause, and a pause of what is paused',
    [phaseCommand('pause'), phaseCommand('pause')],
    [`drop.updated ${dropId}`],
  ],
  ['a new hold', [holdCommand('hold_2')], []],
  ['a hold that takes the place of another', [replacing('hold_2')], ['hold.released hold_1']],
  ['a release, twice', [releaseCommand('hold_1'), releaseCommand('hold_1')], ['hold.released hold_1']],
  ['a payment, twice', [captureCommand('hold_1'), captureCommand('hold_1')], ['payment.captured pay_paid for hold_1']],
  ['a second payment', [captureCommand('hold_paid', { providerPaymentId: '2' })], ['payment.refund_due pay_2']],
  ['a payment of nothing', [captureCommand('hold_x', { providerPaymentId: '3' })], ['payment.unmatched pay_3']],
  ['a new API key', [keyCommand('key_2')], ['api_key.created key_2']],
  ['an API key sent again', [keyCommand('key_1')], []],
  ['a rolled API key', [rollCommand('key_1', 'key_2')], ['api_key.created key_2', 'api_key.rolled key_1']],
  [
    'a revoked API key, twice',
    [keyCommand('key_2'), revokeCommand('key_1'), revokeCommand('key_1')],
    ['api_key.created key_2', 'api_key.revoked key_1'],
  ],
  ['the last API key, which stays', [revokeCommand('key_1')], []],
  ['the use of an API key', [touchCommand(['key_1', startMs])], []],
  ['a refusal', [holdCommand('hold_2', { dropId: 'drop_x' })], []],
]

function replacing(holdId: string): Command {
  return holdCommand(holdId, { replace: { holdId: 'hold_1', proof: null } })
}

function openBusySale(): TestSale {
  const sale = openSale()
  sale.accept(holdCommand('hold_1'), holdCommand('hold_paid'), captureCommand('hold_paid'), keyCommand('key_1'))
  return sale
}

function lines(sale: TestSale): string[] {
  return sale.set.outbox.map(({ type, objectId }) => `${type} ${objectId}`)
}

it.each(told)('decide tells the outbox of %s', (_, commands, expected) => {
  const sale = openBusySale()
  const before = lines(sale)
  for (const command of commands) sale.run(command)
  expect(lines(sale)).toEqual([...before, ...expected])
})

it('decide tells the outbox of a sale from its beginning to its end, with the time of each', () => {
  const sale = openBusySale()
  sale.nowMs += ttlMs
  sale.run(expireCommand)
  expect(lines(sale)).toEqual([
    `drop.created ${dropId}`,
    `drop.updated ${dropId}`,
    'payment.captured pay_paid for hold_paid',
    'api_key.created key_1',
    'hold.expired hold_1',
  ])
  expect(sale.set.outbox.at(-1)?.createdMs).toBe(sale.nowMs)
})

it('decide tells the outbox of a deadline that a late payment was the first to notice, and then of the payment', () => {
  const sale = openBusySale()
  sale.nowMs += ttlMs
  sale.run(captureCommand('hold_1'))
  expect(lines(sale).slice(-2)).toEqual(['hold.expired hold_1', 'payment.captured pay_paid for hold_1'])
})
