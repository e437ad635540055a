import fc from 'fast-check'
import { expect, it } from 'vitest'
import { encodeBase32, idFloor, idPattern, idTimeMs, isId, mintId } from './id.ts'
import type { IdKind } from './id.ts'

const kinds: readonly IdKind[] = ['drop', 'sku', 'hold', 'payment', 'order', 'refund', 'dispute', 'key']
const timeMax = 2 ** 48 - 1

const anyKind = fc.constantFrom(...kinds)
const anyTime = fc.integer({ min: 0, max: timeMax })
const anyRandom = fc.uint8Array({ minLength: 10, maxLength: 10 })

/** The 16 bytes behind a TypeID's 26 characters, decoded the slow and obvious way. */
function uuidHex(id: string): string {
  const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'
  let value = 0n
  for (const character of id.slice(-26)) value = value * 32n + BigInt(alphabet.indexOf(character))
  return value.toString(16).padStart(32, '0')
}

it.each<[IdKind, string]>([
  ['drop', 'drop'],
  ['sku', 'sku'],
  ['hold', 'hold'],
  ['payment', 'pay'],
  ['order', 'ord'],
  ['key', 'key'],
])('mintId %s ids start with %s_ and have 26 characters after it', (kind, prefix) => {
  const id = mintId(kind, 1_700_000_000_000, new Uint8Array(10))
  expect(id).toMatch(new RegExp(`^${prefix}_[0-7][0-9a-hjkmnp-tv-z]{25}$`))
  expect(idPattern(kind)).toBe(`^${prefix}_[0-7][0-9a-hjkmnp-tv-z]{25}$`)
})

it.each([
  // RFC 9562 appendix A.6.
  ['017f22e279b07cc398c4dc0c0c07398f', '01fwhe4ydgfk1shh6w1g60eecf'],
  // TypeID specification 0.3, valid.yml.
  ['01890a5dac96774bbcceb302099a8057', '01h455vb4pex5vsknk084sn02q'],
])('mintId encodes the published UUIDv7 %s as %s', (hex, suffix) => {
  const bytes = Buffer.from(hex, 'hex')
  const id = mintId('hold', bytes.readUIntBE(0, 6), bytes, 6)
  expect(uuidHex(id)).toBe(hex)
  expect(id).toBe(`hold_${suffix}`)
})

it.each<[string, number, number, string]>([
  ['all bits clear', 0, 0x00, '00000000000070008000000000000000'],
  ['all bits set', timeMax, 0xff, 'ffffffffffff7fffbfffffffffffffff'],
])('mintId sets version 7 and variant 2 with %s', (_, nowMs, byte, hex) => {
  expect(uuidHex(mintId('key', nowMs, new Uint8Array(10).fill(byte)))).toBe(hex)
})

it('mintId puts time, version, variant and random bits where UUIDv7 has them, for any input', () => {
  fc.assert(
    fc.property(anyTime, anyRandom, (nowMs, random) => {
      const byte = (index: number): number => random[index] ?? 0
      const bytes = [0x70 | (byte(0) & 0x0f), byte(1), 0x80 | (byte(2) & 0x3f), ...random.subarray(3)]
      const hex = nowMs.toString(16).padStart(12, '0') + Buffer.from(bytes).toString('hex')
      expect(uuidHex(mintId('order', nowMs, random))).toBe(hex)
    }),
  )
})

it('mintId takes its random bytes from the offset', () => {
  const pool = Uint8Array.from({ length: 40 }, (_, index) => index * 7)
  expect(mintId('sku', 5, pool, 13)).toBe(mintId('sku', 5, pool.subarray(13, 23)))
})

it('isId accepts every minted id of its own kind, and of no other', () => {
  fc.assert(
    fc.property(anyKind, anyKind, anyTime, anyRandom, (kind, other, nowMs, random) => {
      expect(isId(other, mintId(kind, nowMs, random))).toBe(kind === other)
    }),
  )
})

it.each([
  ['nothing', ''],
  ['no prefix', '01fwhe4ydgfk1shh6w1g60eecf'],
  ['another prefix', 'sku_01fwhe4ydgfk1shh6w1g60eecf'],
  ['upper case', 'hold_01FWHE4YDGFK1SHH6W1G60EECF'],
  ['25 characters', 'hold_01fwhe4ydgfk1shh6w1g60eec'],
  ['27 characters', 'hold_01fwhe4ydgfk1shh6w1g60eecff'],
  ['more than 128 bits', 'hold_81fwhe4ydgfk1shh6w1g60eecf'],
  ['a letter outside the alphabet', 'hold_01fwhe4ydgfk1shh6w1g60eeci'],
  ['a line break at the end', 'hold_01fwhe4ydgfk1shh6w1g60eecf\n'],
])('isId refuses %s', (_, text) => {
  expect(isId('hold', text)).toBe(false)
})

it('idTimeMs gives back the time an id was made', () => {
  fc.assert(
    fc.property(anyKind, anyTime, anyRandom, (kind, nowMs, random) => {
      expect(idTimeMs(mintId(kind, nowMs, random))).toBe(nowMs)
    }),
  )
})

it('mintId sorts by time, whatever the random bytes', () => {
  const close = anyTime.chain((time) => fc.tuple(fc.constant(time), fc.integer({ min: 0, max: timeMax - time })))
  fc.assert(
    fc.property(close, anyRandom, anyRandom, ([early, distance], first, second) => {
      fc.pre(distance > 0)
      expect(mintId('hold', early, first) < mintId('hold', early + distance, second)).toBe(true)
    }),
  )
})

it('idFloor is behind every id made before and not behind any made at its time or later', () => {
  const notLast = fc.integer({ min: 0, max: timeMax - 1 })
  fc.assert(
    fc.property(anyKind, notLast, anyRandom, (kind, timeMs, random) => {
      const id = mintId(kind, timeMs, random)
      expect(idFloor(kind, timeMs) <= id && id < idFloor(kind, timeMs + 1)).toBe(true)
    }),
  )
})

it.each([
  ['00000000000000000000', '0000000000000000'],
  ['ffffffffffffffffffff', 'zzzzzzzzzzzzzzzz'],
  ['00443214c74254b635cf', '0123456789abcdef'],
  ['00443214c74254b635cfff', '0123456789abcdef'],
])('encodeBase32 gives the first 80 bits of %s as %s', (hex, text) => {
  expect(encodeBase32(Buffer.from(hex, 'hex'))).toBe(text)
})
