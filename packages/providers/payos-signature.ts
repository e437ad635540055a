import { createHmac } from 'node:crypto'
import { equalTexts } from './equal-texts.ts'

/**
 * The signature payOS puts over objects: HMAC-SHA-256 in hexadecimal, keyed with the checksum key, over `key=value&...` in
 * the order of the keys. Nothing is escaped. Null, and the texts "null" and "undefined", count as empty; fields of a
 * value `undefined` are left out. As https://payos.vn/docs/tich-hop-webhook/kiem-tra-du-lieu-voi-signature/ has it and
 * the official library `@payos/node` does it.
 */
export function signPayos(data: Readonly<Record<string, unknown>>, checksumKey: string): string {
  const text = Object.keys(data)
    .toSorted()
    .filter((name) => data[name] !== undefined)
    .map((name) => `${name}=${valueText(data[name])}`)
    .join('&')
  return createHmac('sha256', checksumKey).update(text).digest('hex')
}

/** In constant time. False for anything that is no signature. */
export function isPayosSignature(
  signature: unknown,
  data: Readonly<Record<string, unknown>>,
  checksumKey: string,
): boolean {
  if (typeof signature !== 'string') return false
  const signed = trySign(data, checksumKey)
  return signed !== null && equalTexts(signature, signed)
}

/** Null: a stranger's object that has no text (`{"toString": 1}`), or lists too deep to write. Nobody has signed those. */
function trySign(data: Readonly<Record<string, unknown>>, checksumKey: string): string | null {
  try {
    return signPayos(data, checksumKey)
  } catch {
    return null
  }
}

function valueText(value: unknown): string {
  if (value === null || value === 'null' || value === 'undefined') return ''
  if (Array.isArray(value)) return JSON.stringify(value.map(withSortedKeys))
  // An object has no place here; the official library signs it as this text too.
  return `${value as string | number | boolean}`
}

function withSortedKeys(item: unknown): unknown {
  if (typeof item !== 'object' || item === null) return item
  return Object.fromEntries(Object.entries(item).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
