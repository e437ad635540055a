import { expect, it } from 'vitest'
import { keyCommand, requestKey, revokeCommand, startMs, TestSale } from '../test-sale.ts'
import type { CreateKey } from '@penstock/domain/command.ts'

/** key_1 may do everything; key_2 as given. */
function openKeys(second: Partial<CreateKey>): TestSale {
  const sale = new TestSale()
  sale.accept(keyCommand('key_1'), keyCommand('key_2', second))
  return sale
}

it('revokeKey refuses an unknown key', () => {
  const sale = openKeys({})
  const { writes } = sale.set
  expect(sale.run(revokeCommand('key_none'))).toMatchObject({ outcome: 'not_found', param: 'id' })
  expect(sale.set.writes).toBe(writes)
})

it.each<[string, Partial<CreateKey>, number]>([
  ['only a publishable key', { keyKind: 'publishable', scopes: [] }, 0],
  ['only a key that cannot make others', { scopes: ['drops:write', 'api_keys:read'] }, 0],
  ['only a key that expires now', { expiresAtMs: startMs + 5 }, 5],
])('revokeKey refuses the last key when there is %s beside it', (_, second, laterMs) => {
  const sale = openKeys(second)
  sale.nowMs += laterMs
  const { writes } = sale.set
  expect(sale.run(revokeCommand('key_1'))).toMatchObject({ outcome: 'last_secret_key', param: 'id' })
  expect(sale.set.writes).toBe(writes)
})

it('revokeKey refuses the last key after the other was revoked, also in one batch', () => {
  const sale = openKeys({})
  sale.accept(revokeCommand('key_2'))
  expect(sale.run(revokeCommand('key_1'))).toMatchObject({ outcome: 'last_secret_key' })
})

it.each<[string, Partial<CreateKey>]>([
  ['may do everything', {}],
  ['can make keys', { scopes: ['api_keys:write'] }],
  ['expires later', { expiresAtMs: startMs + 1 }],
])('revokeKey ends a key when another %s', (_, second) => {
  const sale = openKeys(second)
  const before = sale.set.apiKeys.find('key_1')
  const apiKey = { ...before, revokedMs: startMs }
  expect(sale.run(revokeCommand('key_1'))).toEqual({ outcome: 'api_key_saved', apiKey, replayed: false })
  expect(sale.set.apiKeys.find('key_1')).toEqual(apiKey)
})

it.each<[string, Partial<CreateKey>, number]>([
  ['publishable', { keyKind: 'publishable', scopes: [] }, 0],
  ['limited', { scopes: ['orders:read'] }, 0],
  ['expired', { expiresAtMs: startMs + 1 }, 1],
])('revokeKey ends a key that is %s, whatever is left', (_, second, laterMs) => {
  const sale = openKeys(second)
  sale.nowMs += laterMs
  expect(sale.run(revokeCommand('key_2'))).toMatchObject({ apiKey: { revokedMs: startMs + laterMs } })
})

it('revokeKey repeated answers with the key and changes nothing', () => {
  const sale = openKeys({})
  sale.accept(revokeCommand('key_2'))
  const { writes } = sale.set
  sale.nowMs += 1_000
  expect(sale.run(revokeCommand('key_2'))).toMatchObject({ replayed: false, apiKey: { revokedMs: startMs } })
  expect(sale.set.writes).toBe(writes)
})

it('revokeKey replayed by its request key gives the same answer', () => {
  const sale = openKeys({})
  const first = sale.accept(revokeCommand('key_2', requestKey('r')))
  expect(sale.run(revokeCommand('key_2', requestKey('r')))).toEqual({ ...first, replayed: true })
})
