import fc from 'fast-check'
import { expect, test } from 'vitest'
import { HashBits } from './hash-bits.ts'

const hash = fc.oneof(fc.integer({ min: 0, max: 2 ** 53 - 1 }), fc.constantFrom(0, 2 ** 53 - 1, 2 ** 32, 2 ** 31 - 1))

/** Spread evenly, as hashes are. */
const spread = (at: number, of: number): number => Math.floor((at + 0.5) * (2 ** 53 / of))

test('HashBits never says no to what was added, also after its bytes went to another thread', () => {
  fc.assert(
    fc.property(fc.array(hash, { maxLength: 200 }), fc.integer({ min: 0, max: 10_000_000 }), (hashes, count) => {
      const bits = new HashBits({ count })
      for (const one of hashes) bits.add(one)
      const moved = new HashBits({ bytes: bits.bytes, taken: bits.taken })
      expect(hashes.filter((one) => !bits.mayHave(one) || !moved.mayHave(one))).toEqual([])
      expect(moved.taken).toBe(bits.taken)
      expect(bits.taken).toBeLessThanOrEqual(new Set(hashes).size)
    }),
    { numRuns: 30 },
  )
})

test.each([0, 1, 262_144, 262_145, 1_000_000])(
  'HashBits with room for %d says no to 7 of 8 that are not there',
  (count) => {
    const bits = new HashBits({ count })
    for (let at = 0; at < count; at++) bits.add(spread(at, count))
    expect(bits.taken).toBe(count)
    expect(bits.isFull).toBe(false)
    const asked = 100_003
    let yes = 0
    for (let at = 0; at < asked; at++) if (bits.mayHave(spread(at, asked))) yes += 1
    expect(yes / asked).toBeLessThan(1 / 7)
  },
)

test('HashBits is full when it has twice what it was made for, and never beyond its bound', () => {
  const count = 262_144
  const bits = new HashBits({ count })
  for (let at = 0; at < 2 * count; at++) bits.add(spread(at, 2 * count))
  expect(bits.isFull).toBe(false)
  bits.add(0)
  expect(bits.isFull).toBe(true)
  const largest = new HashBits({ count: 2 ** 40 })
  expect(largest.bytes.length).toBe(2 ** 27)
  expect(new HashBits({ bytes: largest.bytes, taken: 2 ** 30 }).isFull).toBe(false)
})
