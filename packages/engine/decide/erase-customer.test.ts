import { expect, it } from 'vitest'
import { buyerUnitsIds } from '@penstock/domain/customer.ts'
import {
  captureCommand,
  customer,
  dropId,
  expireCommand,
  holdCommand,
  openSale,
  releaseCommand,
  requestKey,
  shoe,
  ttlMs,
} from '../test-sale.ts'
import type { Command, EraseCustomer } from '@penstock/domain/command.ts'

const ann = customer('ann@example.com', {
  phone: '+1 555',
  externalId: 'u7',
  name: 'Ann',
  shippingAddress: { line1: '1 Way', line2: null, city: 'Hue', state: null, postalCode: null, country: 'VN' },
})
const personal = /ann|555|u7|Way|Hue/i

const eraseCommand = (holdId: string, change: Partial<EraseCustomer> = {}): EraseCustomer => {
  return { kind: 'erase_customer', key: null, holdId, ...change }
}

it('eraseCustomer refuses an unknown hold', () => {
  const sale = openSale()
  const { writes } = sale.set
  expect(sale.run(eraseCommand('hold_none'))).toMatchObject({ outcome: 'not_found', param: 'id' })
  expect(sale.set.writes).toBe(writes)
})

it('eraseCustomer leaves nothing of the customer and everything else of the hold', () => {
  const sale = openSale()
  sale.accept(holdCommand('hold_1', { customer: ann }), captureCommand('hold_1'))
  const before = sale.hold('hold_1')
  const erased = { ...before, customer: { countedIn: [] } }
  expect(sale.run(eraseCommand('hold_1'))).toEqual({ outcome: 'customer_erased', hold: erased, replayed: false })
  expect(sale.hold('hold_1')).toEqual(erased)
})

it('eraseCustomer a second time changes nothing and is accepted', () => {
  const sale = openSale()
  sale.accept(holdCommand('hold_1', { customer: ann }))
  const first = sale.run(eraseCommand('hold_1'))
  const { writes } = sale.set
  expect(sale.run(eraseCommand('hold_1'))).toEqual(first)
  expect(sale.set.writes).toBe(writes)
})

it.each<[string, number, readonly Command[]]>([
  ['an active hold', 1, []],
  ['an order', 1, [captureCommand('hold_1')]],
  ['a hold that was released', 0, [releaseCommand('hold_1')]],
  ['a hold that expired', 0, [expireCommand]],
])('the units of an erased customer count on: %s', (_, units, commands) => {
  const sale = openSale({ maxPerCustomer: 1 })
  sale.accept(holdCommand('hold_1', { customer: ann }), eraseCommand('hold_1'))
  if (commands.includes(expireCommand)) sale.nowMs += ttlMs + 1_000
  sale.accept(...commands)
  expect([...sale.set.buyers.rows.values()].map((row) => row.units)).toEqual([units, units, units])
  const next = sale.run(holdCommand('hold_2', { customer: ann }))
  expect(next.outcome).toBe(units === 1 ? 'limit_reached' : 'hold_created')
})

it('an erased hold that expired takes its units again when it is paid late, within the limit', () => {
  const sale = openSale({ maxPerCustomer: 1 })
  sale.accept(holdCommand('hold_1', { customer: ann }), eraseCommand('hold_1'))
  sale.nowMs += ttlMs + 1_000
  expect(sale.run(captureCommand('hold_1'))).toMatchObject({ payment: { status: 'captured' } })
  expect(sale.counters(shoe)).toEqual([0, 1])
  expect(sale.run(holdCommand('hold_2', { customer: ann }))).toMatchObject({ outcome: 'limit_reached' })
})

it('no row of a sale names an erased customer: not the counters, not remembered answers', () => {
  const sale = openSale({ maxPerCustomer: 5 })
  sale.accept(holdCommand('hold_1', { key: requestKey('k1'), customer: ann }))
  sale.accept(releaseCommand('hold_1', { key: requestKey('k2') }), captureCommand('hold_1', { key: requestKey('k3') }))
  sale.accept(captureCommand('hold_1', { key: requestKey('k4'), paymentId: 'pay_again' }))
  expect(JSON.stringify(sale.hold('hold_1'))).toMatch(personal)
  sale.accept(eraseCommand('hold_1', { key: requestKey('k5') }))
  const { drops, skus, holds, payments, orderChanges, buyers, requests } = sale.set
  const rows = [drops, skus, holds, payments, orderChanges, buyers, requests].flatMap((table) => [...table.rows])
  expect(JSON.stringify(rows)).not.toMatch(personal)
  expect(sale.hold('hold_1').customer).toEqual({ countedIn: buyerUnitsIds(dropId, ann) })
})

it('the answers to requests before it no longer name the customer, and are otherwise the same', () => {
  const sale = openSale()
  const [create, release] = [
    holdCommand('hold_1', { key: requestKey('k1'), customer: ann }),
    releaseCommand('hold_1', { key: requestKey('k2') }),
  ]
  const firsts = [sale.run(create), sale.run(release)]
  sale.accept(captureCommand('hold_1'), eraseCommand('hold_1'))
  const erased = { customer: { countedIn: [] } }
  for (const [index, command] of [create, release].entries()) {
    const first = firsts[index]
    if (first === undefined || !('hold' in first)) throw new Error('both answers show the hold')
    expect(sale.run(command)).toEqual({ ...first, hold: { ...first.hold, ...erased }, replayed: true })
  }
})
