import type { Database as Connection } from 'better-sqlite3'

/**
 * 53 bits of hash as an exact integer: two 32-bit multiply-xor lanes over the UTF-16 code units, mixed at the end like
 * MurmurHash3's finaliser. Spreads keys evenly over an index; not for secrets. Two keys may collide, and whoever
 * uses it compares the keys themselves.
 */
export function hash53(text: string): number {
  let low = 0x9e3779b9
  let high = 0x85ebca6b
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    low = Math.imul(low ^ unit, 0x5bd1e995)
    high = Math.imul(high ^ unit, 0x5f356495)
  }
  low = mix(low ^ (high >>> 15))
  high = mix(high ^ (low >>> 13))
  return (high & 0x1fffff) * 0x1_0000_0000 + (low >>> 0)
}

function mix(lane: number): number {
  let value = Math.imul(lane ^ (lane >>> 16), 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
  return value ^ (value >>> 16)
}

/** `hash53(key)` for SQL on this connection. */
export function addHash53(db: Connection): void {
  db.function('hash53', { deterministic: true }, (key) => BigInt(hash53(String(key))))
}
