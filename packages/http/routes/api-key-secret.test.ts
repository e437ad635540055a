import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { Mint } from '../mint.ts'
import { mintSecret, newKeyResponse } from './api-key-secret.ts'
import type { ApiKey } from '@penstock/domain/api-key.ts'
import type { ApiKeySaved } from '@penstock/domain/result.ts'
import type { WriteRequest } from '../serve-write.ts'

function openRequest(): WriteRequest<unknown> {
  const credential = { id: 'key_1', kind: 'secret', scopes: ['*'], expiresMs: null } as const
  const mint = new Mint(() => 0)
  const ownKey = () => ({ id: mint.key(), fingerprint: 'f' })
  return { body: {}, params: [], credential, clientSecret: '', minSeq: 0, key: null, ownKey, mint, nowMs: 0 }
}

function saved(minted: Pick<ApiKey, 'secretHash' | 'hint'>, replayed: boolean): ApiKeySaved {
  const times = { createdMs: 1, expiresMs: null, revokedMs: null, lastUsedMs: null }
  const apiKey: ApiKey = { id: 'key_2', kind: 'secret', name: null, scopes: ['*'], ...minted, ...times }
  return { outcome: 'api_key_saved', apiKey, replayed }
}

const secretIn = (json: string): unknown => (JSON.parse(json) as { secret?: unknown }).secret

/** Replayed: also when the command was sent again by this process, because the writer had died behind its commit. */
it.each([false, true])('newKeyResponse shows the secret to the request that made the key, replayed: %s', (replayed) => {
  const request = openRequest()
  const minted = mintSecret(request, 'secret')
  const { status, json } = newKeyResponse(saved(minted, replayed), request)
  const secret = String(secretIn(json))
  expect([status, createHash('sha256').update(secret).digest('hex')]).toEqual([201, minted.secretHash])
  expect(secret.endsWith(minted.hint.slice(-4))).toBe(true)
  expect(json).not.toContain(minted.secretHash)
})

it('newKeyResponse shows no secret of a key that another request made', () => {
  const earlier = mintSecret(openRequest(), 'secret')
  const request = openRequest()
  mintSecret(request, 'secret')
  expect(secretIn(newKeyResponse(saved(earlier, true), request).json)).toBeUndefined()
})

it('mintSecret makes keys of either kind that are never the same', () => {
  const hints = (['secret', 'publishable'] as const).map((kind) => mintSecret(openRequest(), kind).hint.slice(0, 9))
  expect(hints).toEqual(['sk_test_…', 'pk_test_…'])
  const hashes = Array.from({ length: 100 }, () => mintSecret(openRequest(), 'secret').secretHash)
  expect(new Set(hashes).size).toBe(100)
})
