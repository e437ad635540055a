import { expect, it } from 'vitest'
import { expiriesPerCommandMax } from '@penstock/domain/limits.ts'
import {
  captureCommand,
  expireCommand,
  holdCommand,
  openSale,
  releaseCommand,
  shoe,
  sock,
  ttlMs,
} from '../test-sale.ts'

it('expireHolds ends the active holds at or past their deadline and no others', () => {
  const sale = openSale({ maxPerCustomer: 5 })
  sale.accept(holdCommand('hold_paid'), captureCommand('hold_paid'))
  sale.accept(holdCommand('hold_released'), releaseCommand('hold_released'))
  sale.accept(holdCommand('hold_1', { lines: [{ skuId: sock, quantity: 2 }] }), holdCommand('hold_2'))
  sale.nowMs += 1_000
  sale.accept(holdCommand('hold_later'))

  sale.nowMs += ttlMs - 1_001
  expect(sale.run(expireCommand)).toEqual({ outcome: 'holds_expired', count: 0, replayed: false })
  sale.nowMs += 1
  expect(sale.run(expireCommand)).toEqual({ outcome: 'holds_expired', count: 2, replayed: false })

  const statuses = Object.fromEntries([...sale.set.holds.rows.values()].map(({ id, status }) => [id, status]))
  expect(statuses).toEqual({
    hold_paid: 'captured',
    hold_released: 'released',
    hold_1: 'expired',
    hold_2: 'expired',
    hold_later: 'active',
  })
  expect(sale.counters(shoe)).toEqual([1, 1])
  expect(sale.counters(sock)).toEqual([0, 0])
  expect(sale.buyers()['email:hold_1@example.com']).toBe(0)
  expect(sale.buyers()['email:hold_later@example.com']).toBe(1)
  expect(sale.run(expireCommand)).toMatchObject({ count: 0 })
})

it('expireHolds ends the oldest first and at most expiriesPerCommandMax at once', () => {
  const late = 3
  const count = expiriesPerCommandMax + late
  const sale = openSale({
    startsAtMs: 0,
    skus: [{ id: shoe, name: 'Shoe', unitAmountMinor: 1, stock: count, maxPerOrder: null }],
  })
  for (let index = 0; index < count; index++) {
    // The last ones made have the first deadlines.
    sale.nowMs -= 1_000
    sale.accept(holdCommand(`hold_${index}`))
  }
  sale.nowMs += ttlMs + count * 1_000
  expect(sale.run(expireCommand)).toMatchObject({ count: expiriesPerCommandMax })
  const left = [...sale.set.holds.rows.values()].filter(({ status }) => status === 'active').map(({ id }) => id)
  expect(left).toEqual(['hold_0', 'hold_1', 'hold_2'])
  expect(sale.run(expireCommand)).toMatchObject({ count: late })
  expect(sale.counters(shoe)).toEqual([0, 0])
})
