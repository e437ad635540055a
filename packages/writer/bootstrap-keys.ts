import { createHash, randomBytes } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { secretHint } from '@penstock/domain/api-key.ts'
import { mintId } from '@penstock/domain/id.ts'
import type { Settings } from '@penstock/domain/settings.ts'

/** The keys a box starts with: what the seller gave in the environment, else what an earlier start generated. */
export interface BootstrapKeys {
  readonly secretKey: string
  readonly publishableKey: string
}

const fileName = 'bootstrap-keys.json'

/**
 * Decides the keys and keeps them in `bootstrap-keys.json` (mode 0600), so that people and tools on this machine can
 * read them. The database stores hashes only.
 */
export function settleBootstrapKeys(settings: Settings): BootstrapKeys {
  const path = join(settings.dataFolder, fileName)
  const kept = readKeys(path)
  const keys = {
    secretKey: settings.secretKey ?? kept?.secretKey ?? generateKey('sk'),
    publishableKey: settings.publishableKey ?? kept?.publishableKey ?? generateKey('pk'),
  }
  if (kept?.secretKey !== keys.secretKey || kept.publishableKey !== keys.publishableKey) writeKeys(path, keys)
  return keys
}

/** As the store wants them: hashed, with ids. */
export function hashBootstrapKeys(keys: BootstrapKeys) {
  const kinds = [
    ['secret', keys.secretKey],
    ['publishable', keys.publishableKey],
  ] as const
  return kinds.map(([kind, secret]) => {
    const hash = createHash('sha256').update(secret)
    // The id follows from the key, so that it is the same after every start: idempotency keys are scoped to it.
    const id = mintId('key', 0, hash.copy().digest())
    return { id, kind, secretHash: hash.digest('hex'), hint: secretHint(secret) }
  })
}

function generateKey(prefix: 'sk' | 'pk'): string {
  return `${prefix}_test_${randomBytes(24).toString('base64url')}`
}

function readKeys(path: string): BootstrapKeys | null {
  if (!existsSync(path)) return null
  const stored: unknown = JSON.parse(readFileSync(path, 'utf8'))
  if (typeof stored === 'object' && stored !== null && 'secret_key' in stored && 'publishable_key' in stored) {
    return { secretKey: String(stored.secret_key), publishableKey: String(stored.publishable_key) }
  }
  throw new Error(`${path} has no secret_key and publishable_key; remove it to generate new keys`)
}

/** Written beside and renamed, so that a crash leaves the old file or the new one. */
function writeKeys(path: string, keys: BootstrapKeys): void {
  const body = { secret_key: keys.secretKey, publishable_key: keys.publishableKey }
  const draft = `${path}.new`
  const file = openSync(draft, 'w', 0o600)
  writeSync(file, `${JSON.stringify(body, null, 2)}\n`)
  fsyncSync(file)
  closeSync(file)
  renameSync(draft, path)
}
