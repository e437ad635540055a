import { expect, it } from 'vitest'
import { keyCommand, requestKey, revokeCommand, rollCommand, startMs, TestSale } from '../test-sale.ts'

/** key_1 expires in 1 s, key_2 was revoked, key_3 lives on. */
function openKeys(): TestSale {
  const sale = new TestSale()
  sale.accept(
    keyCommand('key_1', { expiresAtMs: startMs + 1_000, name: 'First', scopes: ['orders:read'] }),
    keyCommand('key_2'),
    keyCommand('key_3'),
    revokeCommand('key_2'),
  )
  return sale
}

it.each([
  ['an unknown key', 'key_none', 0, 'not_found', 'There is no API key key_none.'],
  ['a revoked key', 'key_2', 0, 'invalid_transition', 'An API key that was revoked cannot be rolled.'],
  ['an expired key', 'key_1', 1_000, 'invalid_transition', 'An API key that has expired cannot be rolled.'],
])('rollKey refuses %s', (_, id, laterMs, outcome, detail) => {
  const sale = openKeys()
  sale.nowMs += laterMs
  const { writes } = sale.set
  expect(sale.run(rollCommand(id, 'key_new'))).toEqual({ outcome, param: 'id', detail })
  expect(sale.set.writes).toBe(writes)
})

it('rollKey makes a key with the same rights that does not expire', () => {
  const sale = openKeys()
  sale.nowMs += 5
  const apiKey = {
    id: 'key_new',
    kind: 'secret',
    name: 'First',
    scopes: ['orders:read'],
    secretHash: 'hash of key_new',
    hint: 'sk_test_…abcd',
    createdMs: startMs + 5,
    expiresMs: null,
    revokedMs: null,
    lastUsedMs: null,
  }
  const rolled = sale.run(rollCommand('key_1', 'key_new'))
  expect(rolled).toEqual({ outcome: 'api_key_saved', apiKey, replayed: false })
  expect(sale.set.apiKeys.find('key_new')).toEqual(apiKey)
})

it.each([
  ['at once without overlap', 'key_3', 0, startMs],
  ['after the overlap', 'key_3', 86_400_000, startMs + 86_400_000],
  ['after the overlap, when its own expiry is later', 'key_1', 400, startMs + 400],
  ['at its own expiry, when that comes first', 'key_1', 86_400_000, startMs + 1_000],
])('rollKey lets the old key end %s', (_, id, overlapMs, expiresMs) => {
  const sale = openKeys()
  const before = sale.set.apiKeys.find(id)
  sale.accept(rollCommand(id, 'key_new', { overlapMs }))
  expect(sale.set.apiKeys.find(id)).toEqual({ ...before, expiresMs })
})

it('rollKey answers a known new id with the key as it is now and changes nothing more', () => {
  const sale = openKeys()
  sale.accept(rollCommand('key_3', 'key_new'), revokeCommand('key_3'))
  const { writes } = sale.set
  expect(sale.run(rollCommand('key_3', 'key_new'))).toMatchObject({ apiKey: { id: 'key_new', revokedMs: null } })
  expect(sale.set.writes).toBe(writes)
})

it('rollKey replayed by its request key makes no second key', () => {
  const sale = openKeys()
  const key = requestKey('r')
  const first = sale.accept(rollCommand('key_3', 'key_new', { key }))
  expect(sale.run(rollCommand('key_3', 'key_newer', { key }))).toEqual({ ...first, replayed: true })
  expect(sale.set.apiKeys.find('key_newer')).toBeUndefined()
})
