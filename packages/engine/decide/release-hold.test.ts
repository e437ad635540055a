import { expect, it } from 'vitest'
import { captureCommand, expireCommand, holdCommand, openSale, releaseCommand, shoe, ttlMs } from '../test-sale.ts'
import type { HoldStatus } from '@penstock/domain/hold.ts'
import type { RejectionCode } from '@penstock/domain/result.ts'
import type { TestSale } from '../test-sale.ts'

const capture = (sale: TestSale): void => void sale.accept(captureCommand('hold_1'))

it.each<[string, string, string | null, RejectionCode, string, ((sale: TestSale) => void)?]>([
  ['an unknown hold', 'hold_none', 'wrong', 'not_found', 'id'],
  ['a wrong secret', 'hold_1', 'wrong', 'invalid_client_secret', 'Penstock-Client-Secret'],
  ['an empty secret', 'hold_1', '', 'invalid_client_secret', 'Penstock-Client-Secret'],
  ['a wrong secret for a paid hold', 'hold_1', 'wrong', 'invalid_client_secret', 'Penstock-Client-Secret', capture],
  ['a paid hold', 'hold_1', 'secret of hold_1', 'hold_not_active', 'id', capture],
  ['a paid hold, without proof', 'hold_1', null, 'hold_not_active', 'id', capture],
])('releaseHold refuses %s', (_, holdId, proof, outcome, param, arrange) => {
  const sale = openSale()
  sale.accept(holdCommand('hold_1'))
  arrange?.(sale)
  const { writes } = sale.set
  expect(sale.run(releaseCommand(holdId, { proof }))).toEqual({ outcome, param, detail: expect.any(String) })
  expect(sale.set.writes).toBe(writes)
})

it.each([
  ['its secret', 'secret of hold_1'],
  ['a secret key, which needs none', null],
])('releaseHold gives units and limit back with %s', (_, proof) => {
  const sale = openSale({ maxPerCustomer: 5 })
  sale.accept(holdCommand('hold_1', { lines: [{ skuId: shoe, quantity: 3 }] }))
  expect(sale.run(releaseCommand('hold_1', { proof }))).toEqual({
    outcome: 'hold_released',
    hold: { ...sale.hold('hold_1'), status: 'released' },
    replayed: false,
  })
  expect(sale.hold('hold_1').status).toBe('released')
  expect(sale.counters(shoe)).toEqual([0, 0])
  expect(sale.buyers()).toEqual({ 'email:hold_1@example.com': 0 })
})

it.each<[string, HoldStatus, (sale: TestSale) => void]>([
  ['released before', 'released', (sale) => sale.accept(releaseCommand('hold_1'))],
  [
    'expired before',
    'expired',
    (sale) => {
      sale.nowMs += ttlMs
      sale.accept(expireCommand)
    },
  ],
])('releaseHold answers a hold that was %s as it is', (_, status, end) => {
  const sale = openSale()
  sale.accept(holdCommand('hold_1'))
  end(sale)
  const { writes } = sale.set
  expect(sale.run(releaseCommand('hold_1'))).toMatchObject({ outcome: 'hold_released', hold: { status } })
  expect(sale.set.writes).toBe(writes)
})

it('releaseHold settles a hold past its deadline as expired', () => {
  const sale = openSale()
  sale.accept(holdCommand('hold_1'))
  sale.nowMs += ttlMs
  expect(sale.run(releaseCommand('hold_1'))).toMatchObject({ outcome: 'hold_released', hold: { status: 'expired' } })
  expect(sale.counters(shoe)).toEqual([0, 0])
})
