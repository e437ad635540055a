import { expect, it } from 'vitest'
import { keyCommand, revokeCommand, startMs, TestSale, touchCommand } from '../test-sale.ts'

/** key_1 was used 10 s after the start, key_2 never. It is 20 s after the start. */
function openKeys(): TestSale {
  const sale = new TestSale()
  sale.nowMs += 20_000
  sale.accept(keyCommand('key_1'), keyCommand('key_2'), touchCommand(['key_1', startMs + 10_000]))
  return sale
}

it.each([
  ['a later use', 'key_1', 11_000, 11_000, 1],
  ['the first use', 'key_2', 1_000, 1_000, 1],
  ['a use that a clock ahead of the writer saw', 'key_1', 99_000, 20_000, 1],
  ['not the same use again', 'key_1', 10_000, 10_000, 0],
  ['not an earlier use that is reported late', 'key_1', 9_000, 10_000, 0],
])('touchKeys notes %s', (_, id, usedMs, lastUsedMs, count) => {
  const sale = openKeys()
  const before = sale.set.apiKeys.find(id)
  const { writes } = sale.set
  const result = sale.run(touchCommand([id, startMs + usedMs]))
  expect(result).toEqual({ outcome: 'keys_touched', count, replayed: false })
  expect(sale.set.apiKeys.find(id)).toEqual({ ...before, lastUsedMs: startMs + lastUsedMs })
  expect(sale.set.writes).toBe(writes + count)
})

it('touchKeys notes several keys, revoked ones too, and passes over those that are gone', () => {
  const sale = openKeys()
  sale.accept(revokeCommand('key_1'))
  const at = startMs + 15_000
  expect(sale.run(touchCommand(['key_none', at], ['key_1', at], ['key_2', at]))).toMatchObject({ count: 2 })
  expect(sale.set.apiKeys.find('key_1')).toMatchObject({ lastUsedMs: at, revokedMs: startMs + 20_000 })
  expect(sale.set.apiKeys.find('key_2')).toMatchObject({ lastUsedMs: at })
})
