import { expect, it } from 'vitest'
import { allows, firstMissing, isUsable, managesKeys, resources, scopes, secretHint } from './api-key.ts'
import type { ApiKeyKind, Scope } from './api-key.ts'

it.each<[string, number | null, number | null, boolean]>([
  ['neither expires nor is revoked', null, null, true],
  ['expires later', 1_001, null, true],
  ['expires now', 1_000, null, false],
  ['expired', 999, null, false],
  ['was revoked', null, 1, false],
  ['was revoked and would expire later', 2_000, 1_000, false],
])('isUsable of a key that %s', (_, expiresMs, revokedMs, usable) => {
  expect(isUsable({ expiresMs, revokedMs }, 1_000)).toBe(usable)
})

it.each<[readonly Scope[], Scope, boolean]>([
  [['*'], 'orders:read', true],
  [['*'], '*', true],
  [['orders:read'], 'orders:read', true],
  [['drops:read', 'orders:read'], 'orders:read', true],
  [['orders:write'], 'orders:read', false],
  [['orders:read'], 'orders:write', false],
  [['orders:read'], 'drops:read', false],
  [['orders:read'], '*', false],
  [scopes.slice(1), '*', false],
  [[], 'drops:read', false],
])('allows %j %s: %s', (granted, scope, allowed) => {
  expect(allows(granted, scope)).toBe(allowed)
})

it('firstMissing names the first scope that is not granted', () => {
  expect(firstMissing(['orders:read', 'drops:read'], ['drops:read', 'holds:read', '*'])).toBe('holds:read')
  expect(firstMissing(['*'], scopes)).toBeNull()
  expect(firstMissing(['orders:read'], [])).toBeNull()
})

it.each<[ApiKeyKind, readonly Scope[], boolean]>([
  ['secret', ['*'], true],
  ['secret', ['api_keys:write'], true],
  ['secret', ['api_keys:read', 'drops:write'], false],
  ['publishable', [], false],
])('managesKeys of a %s key with %j: %s', (kind, granted, manages) => {
  expect(managesKeys({ kind, scopes: granted })).toBe(manages)
})

it('scopes has everything, and read and write of each resource', () => {
  expect(scopes).toHaveLength(1 + 2 * resources.length)
  expect(new Set(scopes).size).toBe(scopes.length)
})

it('secretHint shows the kind of key and its last four characters', () => {
  expect(secretHint('sk_test_abcdefghijklmnop_test_WXYZ')).toBe('sk_test_…WXYZ')
  expect(secretHint('pk_test_0123456789')).toBe('pk_test_…6789')
})
