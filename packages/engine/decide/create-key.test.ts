import { expect, it } from 'vitest'
import { keyCommand, requestKey, revokeCommand, startMs, TestSale } from '../test-sale.ts'

it.each([
  ['in the past', startMs - 1],
  ['now', startMs],
])('createKey refuses an expiry %s', (_, expiresAtMs) => {
  const sale = new TestSale()
  const refused = sale.run(keyCommand('key_1', { expiresAtMs }))
  expect(refused).toMatchObject({ outcome: 'invalid_request', param: 'expires_at' })
  expect(sale.set.writes).toBe(0)
})

it('createKey makes a key that was never used', () => {
  const sale = new TestSale()
  const fields = { name: 'Warehouse', scopes: ['orders:read', 'codes:write'], expiresAtMs: startMs + 1 } as const
  const apiKey = {
    id: 'key_1',
    kind: 'secret',
    name: 'Warehouse',
    scopes: ['orders:read', 'codes:write'],
    secretHash: 'hash of key_1',
    hint: 'sk_test_…wxyz',
    createdMs: startMs,
    expiresMs: startMs + 1,
    revokedMs: null,
    lastUsedMs: null,
  }
  expect(sale.run(keyCommand('key_1', fields))).toEqual({ outcome: 'api_key_saved', apiKey, replayed: false })
  expect(sale.set.apiKeys.find('key_1')).toEqual(apiKey)
})

it('createKey answers a known id with the key as it is now, whatever the command says', () => {
  const sale = new TestSale()
  sale.accept(keyCommand('key_1'), keyCommand('key_2'), revokeCommand('key_1'))
  const { writes } = sale.set
  const again = sale.run(keyCommand('key_1', { name: 'Other', expiresAtMs: 1 }))
  expect(again).toMatchObject({ outcome: 'api_key_saved', apiKey: { name: null, revokedMs: startMs } })
  expect(sale.set.writes).toBe(writes)
})

it('createKey replayed by its request key answers with the first key, not with the one this request minted', () => {
  const sale = new TestSale()
  const key = requestKey('r')
  const first = sale.accept(keyCommand('key_1', { key }))
  expect(sale.run(keyCommand('key_2', { key }))).toEqual({ ...first, replayed: true })
  expect(sale.set.apiKeys.find('key_2')).toBeUndefined()
})
