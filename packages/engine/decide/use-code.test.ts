import { expect, it } from 'vitest'
import { captureCommand, expireCommand, holdCommand, openSale, requestKey, shoe, sock, startMs } from '../test-sale.ts'
import type { UseCode } from '@penstock/domain/command.ts'
import type { TestSale } from '../test-sale.ts'

const lines = [
  { skuId: shoe, quantity: 1 },
  { skuId: sock, quantity: 2 },
]

/** An order of a shoe and two socks. */
function sold(): TestSale {
  const sale = openSale()
  sale.accept(holdCommand('hold_1', { lines }), captureCommand('hold_1', { amountMinor: 150, paymentId: 'pay_1' }))
  return sale
}

let uses = 0

function useCommand(unit: number, change: Partial<UseCode> = {}): UseCode {
  uses += 1
  return { kind: 'use_code', key: requestKey(`use ${uses}`), orderId: 'ord_1', holdId: 'hold_1', unit, ...change }
}

it.each([
  ['of a hold nobody knows', useCommand(0, { holdId: 'hold_none' })],
  ['of a unit behind the last', useCommand(3)],
  ['of a unit before the first', useCommand(-1)],
])('useCode refuses a code %s', (_, command) => {
  const sale = sold()
  const { writes } = sale.set
  expect(sale.run(command)).toEqual({ outcome: 'not_found', param: 'code', detail: 'There is no such code.' })
  expect(sale.set.writes).toBe(writes)
})

it('useCode uses each unit once, and says when', () => {
  const sale = sold()
  sale.nowMs += 2_500
  const usedMs = startMs + 2_500
  const first = { outcome: 'code_activated', orderId: 'ord_1', skuId: sock, usedMs, replayed: false }
  expect(sale.run(useCommand(1))).toEqual(first)
  sale.nowMs += 60_000
  const { writes } = sale.set
  expect(sale.run(useCommand(1))).toEqual({
    outcome: 'code_used',
    param: 'code',
    detail: 'This code was used before, at 1700000002 (Unix seconds).',
  })
  expect(sale.set.writes).toBe(writes)
  expect(sale.run(useCommand(0))).toMatchObject({ outcome: 'code_activated', skuId: shoe, usedMs: usedMs + 60_000 })
  expect(sale.run(useCommand(2))).toMatchObject({ outcome: 'code_activated', skuId: sock })
})

it('useCode sent again with its key, after a writer restart, gives the first answer', () => {
  const sale = sold()
  const command = useCommand(0)
  const first = sale.run(command)
  sale.nowMs += 1_000
  expect(sale.run(command)).toEqual({ ...first, replayed: true })
})

it('useCode changes neither stock nor money', () => {
  const sale = sold()
  const before = [sale.counters(shoe), sale.counters(sock), sale.set.entries.length]
  sale.accept(useCommand(0), expireCommand)
  expect([sale.counters(shoe), sale.counters(sock), sale.set.entries.length]).toEqual(before)
})
