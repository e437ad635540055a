/**
 * Public ids are TypeIDs: a prefix, `_`, and 26 characters of Crockford base32 that hold a UUIDv7 (48 bits of
 * milliseconds, then random bits). They sort by the time they were made, so they append to an index, and cannot be
 * guessed. See https://github.com/jetify-com/typeid (specification 0.3).
 */

const prefixes = {
  drop: 'drop',
  sku: 'sku',
  hold: 'hold',
  payment: 'pay',
  order: 'ord',
  refund: 'rfnd',
  dispute: 'dsp',
  key: 'key',
  webhook_endpoint: 'whe',
} as const

export type IdKind = keyof typeof prefixes

/** Crockford's, in the order of ASCII. */
export const idAlphabet = '0123456789abcdefghjkmnpqrstvwxyz'
const suffixLength = 26

/** A pattern for schemas: `^hold_[0-7][0-9a-hjkmnp-tv-z]{25}$`. */
export function idPattern(kind: IdKind): string {
  return `^${prefixes[kind]}_[0-7][0-9a-hjkmnp-tv-z]{25}$`
}

const matchers = Object.fromEntries(
  Object.keys(prefixes).map((kind) => [kind, new RegExp(idPattern(kind as IdKind))]),
) as Record<IdKind, RegExp>

export function isId(kind: IdKind, text: string): boolean {
  return matchers[kind].test(text)
}

/** The time a TypeID was made, in milliseconds. The text must be an id (`isId`). */
export function idTimeMs(id: string): number {
  // 48 bits of time: the first 10 characters hold 2 padding bits and 48 bits.
  let timeMs = 0
  const start = id.length - suffixLength
  for (let at = start; at < start + 10; at++) timeMs = timeMs * 32 + idAlphabet.indexOf(id.charAt(at))
  return timeMs
}

/**
 * A new id. `random` must hold 10 fresh random bytes at `offset`; the caller owns the clock and the generator, so
 * that a replay with the same inputs gives the same id.
 */
export function mintId(kind: IdKind, nowMs: number, random: Uint8Array, offset = 0): string {
  const byte = (index: number): number => random[offset + index] ?? 0
  // UUIDv7: 4 version bits (7), 12 random bits, 2 variant bits (10), 62 random bits; 80 bits in 16 characters.
  const high = (0x7 << 28) | ((byte(0) & 0x0f) << 24) | (byte(1) << 16) | ((0x80 | (byte(2) & 0x3f)) << 8) | byte(3)
  const middle = (byte(4) << 16) | (byte(5) << 8) | byte(6)
  const low = (byte(7) << 16) | (byte(8) << 8) | byte(9)
  return idFloor(kind, nowMs) + encode80(high >>> 0, middle, low)
}

/** The id of another kind with the suffix of `id`: for two objects of which each has at most one of the other. */
export function twinId(kind: IdKind, id: string): string {
  return prefixes[kind] + id.slice(id.indexOf('_'))
}

/** Sorts before every id of this kind made at or after `timeMs`, and after every earlier one. Not an id itself. */
export function idFloor(kind: IdKind, timeMs: number): string {
  let time = ''
  let rest = timeMs
  for (let index = 0; index < 10; index++) {
    time = idAlphabet.charAt(rest % 32) + time
    rest = Math.floor(rest / 32)
  }
  return `${prefixes[kind]}_${time}`
}

/** The id of the `seq`-th of what the writer numbers in the order of its commits: `le_42`. No TypeID. */
export function numberedId(prefix: string, seq: number): string {
  return `${prefix}_${seq}`
}

/** A pattern for schemas: `^le_[1-9][0-9]{0,14}$`. */
export function numberedIdPattern(prefix: string): string {
  return `^${prefix}_[1-9][0-9]{0,14}$`
}

/** The number in an id of `numberedId`; null for any other text. */
export function numberedIdSeq(prefix: string, text: string): number | null {
  if (!text.startsWith(`${prefix}_`)) return null
  const digits = text.slice(prefix.length + 1)
  return /^[1-9]\d{0,14}$/.test(digits) ? Number(digits) : null
}

/** 32 + 24 + 24 bits as 16 characters of 5 bits. */
function encode80(high: number, middle: number, low: number): string {
  const left = high >>> 7 // 25 bits: 5 characters
  const centre = ((high & 0x7f) << 23) | (middle >>> 1) // 7 + 23 = 30 bits: 6 characters
  const right = ((middle & 1) << 24) | low // 1 + 24 = 25 bits: 5 characters
  return encode(left, 5) + encode(centre, 6) + encode(right, 5)
}

/** The first 10 bytes as 16 characters of the alphabet of ids. */
export function encodeBase32(bytes: Uint8Array): string {
  const byte = (index: number): number => bytes[index] ?? 0
  const high = ((byte(0) << 24) | (byte(1) << 16) | (byte(2) << 8) | byte(3)) >>> 0
  return encode80(high, (byte(4) << 16) | (byte(5) << 8) | byte(6), (byte(7) << 16) | (byte(8) << 8) | byte(9))
}

function encode(value: number, length: number): string {
  let text = ''
  for (let shift = (length - 1) * 5; shift >= 0; shift -= 5) text += idAlphabet.charAt((value >>> shift) & 31)
  return text
}
