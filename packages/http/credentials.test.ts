import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { credentialCacheEntriesMax, credentialCacheMs } from '@penstock/domain/limits.ts'
import { Credentials } from './credentials.ts'
import type { Credential } from '@penstock/store/queries.ts'

const startMs = 1_000_000

/** Keys by clear text, a clock to turn, and every hash that was looked up. */
function openCredentials(keys: Record<string, Partial<Credential>> = { sk_test_a: {} }) {
  const stored = new Map(
    Object.entries(keys).map(([secret, change]): [string, Credential] => [
      createHash('sha256').update(secret).digest('hex'),
      { id: `key of ${secret}`, kind: 'secret', scopes: ['*'], expiresMs: null, ...change },
    ]),
  )
  const lookups: string[] = []
  const clock = { nowMs: startMs }
  const findCredential = (secretHash: string): Credential | null => {
    lookups.push(secretHash)
    return stored.get(secretHash) ?? null
  }
  const credentials = new Credentials({ findCredential }, () => clock.nowMs)
  return { credentials, stored, lookups, clock }
}

it.each([
  ['no header', '', null],
  ['no scheme', 'sk_test_a', null],
  ['another scheme', 'Basic sk_test_a', null],
  ['an unknown key', 'Bearer sk_test_b', null],
  ['a key with a space', 'Bearer  sk_test_a', null],
  ['a part of a key', 'Bearer sk_test_', null],
  ['a key that is longer than any', `Bearer ${'k'.repeat(256)}`, null],
  ['the hash of a key', `Bearer ${createHash('sha256').update('sk_test_a').digest('hex')}`, null],
  ['a key', 'Bearer sk_test_a', 'key of sk_test_a'],
  ['a key with the scheme in another case', 'bEARER sk_test_a', 'key of sk_test_a'],
])('Credentials find %s', (_, authorization, id) => {
  expect(openCredentials().credentials.find(authorization)?.id ?? null).toBe(id)
})

it('Credentials remembers an accepted key for credentialCacheMs and no other', () => {
  const { credentials, lookups, clock } = openCredentials()
  const ask = (secret: string): void => void credentials.find(`Bearer ${secret}`)
  for (const secret of ['sk_test_a', 'sk_test_a', 'sk_test_b', 'sk_test_b']) ask(secret)
  expect(lookups).toHaveLength(3)
  clock.nowMs += credentialCacheMs - 1
  ask('sk_test_a')
  expect(lookups).toHaveLength(3)
  clock.nowMs += 1
  ask('sk_test_a')
  expect(lookups).toHaveLength(4)
})

it.each([
  ['before it', -1, true],
  ['at it', 0, false],
  ['after it', 1, false],
])('Credentials looks at the expiry of a key at every use: %s', (_, afterMs, accepted) => {
  const { credentials, clock } = openCredentials({ sk_test_a: { expiresMs: startMs + 500 } })
  expect(credentials.find('Bearer sk_test_a')).not.toBeNull()
  clock.nowMs = startMs + 500 + afterMs
  expect(credentials.find('Bearer sk_test_a') !== null).toBe(accepted)
})

it('Credentials forget makes a revoked key die at its next use', () => {
  const { credentials, stored } = openCredentials()
  expect(credentials.find('Bearer sk_test_a')).not.toBeNull()
  stored.clear()
  expect(credentials.find('Bearer sk_test_a')).not.toBeNull()
  credentials.forget()
  expect(credentials.find('Bearer sk_test_a')).toBeNull()
})

it('Credentials takeUses gives each accepted key once, with the time of its last look-up, and starts anew', () => {
  const { credentials, clock } = openCredentials({ sk_test_a: {}, sk_test_b: {}, sk_test_c: { expiresMs: startMs } })
  const ask = (...secrets: readonly string[]): void => {
    for (const secret of secrets) credentials.find(`Bearer ${secret}`)
  }
  ask('sk_test_a', 'sk_test_b', 'sk_test_c', 'sk_test_none')
  clock.nowMs += credentialCacheMs
  ask('sk_test_b')
  expect(credentials.takeUses()).toEqual([
    { apiKeyId: 'key of sk_test_a', usedMs: startMs },
    { apiKeyId: 'key of sk_test_b', usedMs: startMs + credentialCacheMs },
  ])
  expect(credentials.takeUses()).toEqual([])
  clock.nowMs += credentialCacheMs
  ask('sk_test_a')
  expect(credentials.takeUses()).toMatchObject([{ apiKeyId: 'key of sk_test_a' }])
})

it('Credentials notes at most so many uses as it remembers keys', () => {
  const names = Array.from({ length: credentialCacheEntriesMax + 10 }, (_, index) => `sk_test_${index}`)
  const { credentials } = openCredentials(Object.fromEntries(names.map((name) => [name, {}])))
  for (const name of names) expect(credentials.find(`Bearer ${name}`)).not.toBeNull()
  expect(credentials.takeUses()).toHaveLength(credentialCacheEntriesMax)
})
