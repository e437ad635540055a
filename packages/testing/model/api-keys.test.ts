import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { isUsable, managesKeys } from '@penstock/domain/api-key.ts'
import { SqliteStore } from '@penstock/store-sqlite/sqlite-store.ts'
import { MemoryData, MemoryStore } from './memory-store.ts'
import { cutAt, randomCuts, startMs } from './random-sale.ts'
import { run } from './run-sale.ts'
import type { ApiKey, Scope } from '@penstock/domain/api-key.ts'
import type { Command, RequestKey } from '@penstock/domain/command.ts'

const first: Command = {
  kind: 'create_key',
  key: null,
  apiKeyId: 'key_0',
  keyKind: 'secret',
  name: null,
  scopes: ['*'],
  secretHash: 'hash of key_0',
  hint: 'sk_test_…0000',
  expiresAtMs: null,
}

/** The key made by one of the commands before, or by none. */
const anyKeyId = fc.integer({ min: 0, max: 14 }).map((number) => `key_${number}`)
const soon = fc.integer({ min: startMs - 1, max: startMs + 12 })

function requestKey(kind: string): fc.Arbitrary<RequestKey | null> {
  const id = fc.constantFrom(`${kind} 1`, `${kind} 2`)
  return fc.option(fc.record({ id, fingerprint: fc.constantFrom('f', 'f', 'g') }), { nil: null })
}

/** `minted` is what the command brings: an id of its own, or that of an earlier one when it is sent again. */
function anyCommand(index: number): fc.Arbitrary<Command> {
  const minted = fc.constantFrom(index, index, index, Math.max(1, index - 1)).map((number) => `key_${number}`)
  const scopes = fc.constantFrom<Scope[][]>(['*'], ['api_keys:write'], ['orders:read', 'drops:write'])
  return fc.oneof(
    fc
      .record({ id: minted, key: requestKey('create'), granted: scopes, isSecret: fc.boolean(), ends: fc.option(soon) })
      .map(({ id, key, granted, isSecret, ends }): Command => ({
        kind: 'create_key',
        key,
        apiKeyId: id,
        keyKind: isSecret ? 'secret' : 'publishable',
        name: isSecret ? id : null,
        scopes: isSecret ? granted : [],
        secretHash: `hash of ${id}`,
        hint: 'sk_test_…0000',
        expiresAtMs: ends,
      })),
    fc
      .record({ id: minted, key: requestKey('roll'), old: anyKeyId, overlapMs: fc.nat({ max: 5 }) })
      .map(({ id, key, old, overlapMs }): Command => {
        const secret = { secretHash: `hash of ${id}`, hint: 'sk_test_…0001' }
        return { kind: 'roll_key', key, apiKeyId: old, newApiKeyId: id, ...secret, overlapMs }
      }),
    fc
      .record({ apiKeyId: anyKeyId, key: requestKey('revoke') })
      .map((fields): Command => ({ kind: 'revoke_key', ...fields })),
    fc
      .array(fc.record({ apiKeyId: anyKeyId, usedMs: soon }), { maxLength: 3 })
      .map((uses): Command => ({ kind: 'touch_keys', key: null, uses })),
  )
}

/** Up to 14 commands behind the first, of which each comes a millisecond after the one before. */
const randomCommands = fc.tuple(...Array.from({ length: 14 }, (_, index) => anyCommand(index + 1)))

function countManagers(data: MemoryData, nowMs: number): number {
  return [...data.apiKeys.values()].filter((row) => managesKeys(row) && isUsable(row, nowMs)).length
}

it('decide gives no key back that has ended, puts no end off, and never revokes the last that can make others', () => {
  fc.assert(
    fc.property(randomCommands, (commands) => {
      const data = new MemoryData()
      const store = new MemoryStore(data)
      run(store, [first], startMs)
      for (const [index, command] of commands.entries()) {
        const nowMs = startMs + index
        const before = new Map<string, ApiKey>(data.apiKeys)
        const managers = countManagers(data, nowMs)
        run(store, [command], nowMs)
        if (managers > 0) expect(countManagers(data, nowMs)).toBeGreaterThan(0)
        for (const [id, row] of before) {
          const now = data.apiKeys.get(id) ?? row
          expect(now).toMatchObject({ kind: row.kind, scopes: row.scopes, secretHash: row.secretHash })
          if (!isUsable(row, nowMs)) expect(isUsable(now, nowMs)).toBe(false)
          if (row.revokedMs !== null) expect(now.revokedMs).toBe(row.revokedMs)
          if (row.expiresMs !== null) expect(now.expiresMs ?? Infinity).toBeLessThanOrEqual(row.expiresMs)
          expect(now.lastUsedMs ?? 0).toBeGreaterThanOrEqual(row.lastUsedMs ?? 0)
        }
      }
    }),
    { numRuns: 500 },
  )
})

it('SqliteStore keeps API keys as the model does, however the commands are cut, also over restarts', () => {
  fc.assert(
    fc.property(randomCommands, randomCuts, (commands, cuts) => {
      const data = new MemoryData()
      const expected = run(new MemoryStore(data), [first, ...commands], startMs)
      const folder = mkdtempSync(join(tmpdir(), 'penstock-model-'))
      const open = (): SqliteStore => new SqliteStore(join(folder, 'penstock.db'))
      try {
        const results = cutAt([first, ...commands], cuts).flatMap((part) => {
          const store = open()
          const own = run(store, part, startMs)
          store.close()
          return own
        })
        const last = open()
        const ids = [...data.apiKeys.keys()]
        const { value } = last.transact(startMs, (set) => ids.map((id) => set.apiKeys.find(id)))
        last.close()
        expect(results).toEqual(expected)
        expect(value).toEqual([...data.apiKeys.values()])
      } finally {
        rmSync(folder, { recursive: true })
      }
    }),
    { numRuns: 40 },
  )
})
