import { idAlphabet, idFloor, idTimeMs } from './id.ts'
import { idsPerSlotAndMs, idSlots } from './limits.ts'
import type { IdKind } from './id.ts'

/**
 * The number of an id, for those who can only take numbers: payOS wants an integer order code, and the old system's API
 * has numeric ids. It is the first bits of the id, the milliseconds of its making and the 12 bits behind them, so that
 * nothing is stored and the object is found again by a range of its own key. That no two ids of a kind share a number
 * is for who makes the ids: docs/adr/0011-numbers-of-ids.md.
 */
export type NumberedKind = 'drop' | 'sku' | 'hold'

const numberedKinds: Readonly<Partial<Record<IdKind, true>>> = {
  drop: true,
  sku: true,
  hold: true,
} satisfies Record<NumberedKind, true>

export function isNumberedKind(kind: IdKind): kind is NumberedKind {
  return numberedKinds[kind] === true
}

/** Numbers begin with 2025, so that they stay below 2^53 until 2094. */
const firstMs = Date.UTC(2025, 0, 1)
/** 12 bits: what UUIDv7 calls rand_a. */
const tagsPerMs = idSlots * idsPerSlotAndMs

/** A whole number from 0 to 2^53 - 1. The text must be an id (`isId`), made in 2025 or later. */
export function idNumber(id: string): number {
  // Behind 50 bits of time come 4 of the version, 12 of the tag and 2 of the variant, in characters of 5 bits.
  const start = id.length - 16
  const digit = (at: number): number => idAlphabet.indexOf(id.charAt(start + at))
  const tag = ((digit(0) & 1) << 11) | (digit(1) << 6) | (digit(2) << 1) | (digit(3) >>> 4)
  return (idTimeMs(id) - firstMs) * tagsPerMs + tag
}

/** Ids with this number: `from <= id && id < before`. Null: no id can have it. */
export function idsOfNumber(kind: NumberedKind, number: number): { from: string; before: string } | null {
  if (!Number.isSafeInteger(number) || number < 0) return null
  const tag = number % tagsPerMs
  // 0111 is version 7.
  const digits = [0b01110 | (tag >>> 11), (tag >>> 6) & 31, (tag >>> 1) & 31, (tag & 1) << 4]
  const from =
    idFloor(kind, firstMs + Math.floor(number / tagsPerMs)) + digits.map((digit) => idAlphabet[digit]).join('')
  // The last of these characters holds 4 bits more.
  const before = from.slice(0, -1) + ((tag & 1) === 0 ? 'g' : '~')
  return { from, before }
}
