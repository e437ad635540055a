import { expect, it } from 'vitest'
import { captureCommand, checkoutCommand, closeCheckoutCommand, holdCommand, openSale, ttlMs } from '../test-sale.ts'
import type { Command } from '@penstock/domain/command.ts'

it('openCheckout refuses an unknown hold and writes nothing', () => {
  const sale = openSale()
  const { writes } = sale.set
  expect(sale.run(checkoutCommand('hold_1'))).toMatchObject({ outcome: 'not_found', param: 'id' })
  expect(sale.set.writes).toBe(writes)
})

it.each([{ amountMinor: 99 }, { currency: 'eur' }] as const)(
  'openCheckout refuses other money than the hold: %j',
  (wrong) => {
    const sale = openSale()
    sale.accept(holdCommand('hold_1'))
    const { writes } = sale.set
    expect(sale.run(checkoutCommand('hold_1', wrong))).toMatchObject({ outcome: 'invalid_request', param: 'amount' })
    expect(sale.set.writes).toBe(writes)
  },
)

it('openCheckout keeps the first payment of a hold and provider', () => {
  const sale = openSale()
  sale.accept(holdCommand('hold_1'))
  const first = sale.run(checkoutCommand('hold_1'))
  expect(first).toMatchObject({ checkout: { state: 'open', createdMs: sale.nowMs, provider: 'stripe' } })
  expect(sale.run(checkoutCommand('hold_1', { providerPaymentId: 'another' }))).toEqual(first)
  expect(sale.run(checkoutCommand('hold_1', { provider: 'test' }))).toMatchObject({ checkout: { provider: 'test' } })
})

it('openCheckout records also what was opened for a hold that ended meanwhile: money may come', () => {
  const sale = openSale()
  sale.accept(holdCommand('hold_1'))
  sale.nowMs += ttlMs
  expect(sale.run(checkoutCommand('hold_1'))).toMatchObject({ checkout: { state: 'open' } })
})

it.each<[string, Command[], Command, boolean, 'active' | 'released' | 'captured', number]>([
  ['that is unknown', [], closeCheckoutCommand('hold_1'), false, 'active', 0],
  [
    'of another payment',
    [checkoutCommand('hold_1')],
    closeCheckoutCommand('hold_1', { providerPaymentId: 'another' }),
    false,
    'active',
    0,
  ],
  ['that is the only one', [checkoutCommand('hold_1')], closeCheckoutCommand('hold_1'), true, 'released', 0],
  [
    'while another is open',
    [checkoutCommand('hold_1'), checkoutCommand('hold_1', { provider: 'test' })],
    closeCheckoutCommand('hold_1'),
    true,
    'active',
    0,
  ],
  [
    'of a hold that was paid',
    [checkoutCommand('hold_1'), captureCommand('hold_1')],
    closeCheckoutCommand('hold_1'),
    true,
    'captured',
    0,
  ],
  [
    'of a hold past its deadline, which ends by it',
    [checkoutCommand('hold_1')],
    closeCheckoutCommand('hold_1'),
    true,
    'active',
    ttlMs,
  ],
])('closeCheckout %s', (_, before, command, isClosed, status, passedMs) => {
  const sale = openSale()
  sale.accept(holdCommand('hold_1'), ...before)
  sale.nowMs += passedMs
  for (let time = 0; time < 2; time++) {
    expect(sale.run(command)).toEqual({ outcome: 'checkout_closed', isClosed, replayed: false })
  }
  expect(sale.hold('hold_1').status).toBe(status)
})
