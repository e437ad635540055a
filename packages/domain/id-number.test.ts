import { describe, expect, it } from 'vitest'
import { idNumber, idsOfNumber, isNumberedKind } from './id-number.ts'
import { idPattern, mintId } from './id.ts'

const nowMs = Date.UTC(2026, 4, 6, 7, 8, 9, 123)

/** An id with this tag; everything behind it is `filler`. */
function idWith(tag: number, filler: number, timeMs = nowMs): string {
  return mintId('hold', timeMs, Uint8Array.of(tag >>> 8, tag & 255, ...Buffer.alloc(8, filler)))
}

describe('idNumber', () => {
  it('is the milliseconds since 2025 and the 12 bits of the tag', () => {
    expect(idNumber(idWith(0, 0, Date.UTC(2025, 0, 1)))).toBe(0)
    expect(idNumber(idWith(4_095, 255))).toBe((nowMs - Date.UTC(2025, 0, 1)) * 4_096 + 4_095)
  })

  it('stays exact in JSON until 2094', () => {
    const number = idNumber(idWith(4_095, 255, Date.UTC(2094, 0, 1)))
    expect(Number.isSafeInteger(number)).toBe(true)
    expect(JSON.parse(JSON.stringify(number))).toBe(number)
  })

  it('belongs to drops, SKUs and holds', () => {
    expect(['drop', 'sku', 'hold', 'payment', 'order', 'key'].map((kind) => isNumberedKind(kind as 'drop'))).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
    ])
  })
})

describe('idsOfNumber', () => {
  it('finds every id with the number, whatever its random bits, and no other', () => {
    for (let tag = 0; tag < 4_096; tag++) {
      const range = idsOfNumber('hold', idNumber(idWith(tag, 7)))
      const isIn = (id: string): boolean => range !== null && range.from <= id && id < range.before
      expect([idWith(tag, 0), idWith(tag, 255)].map(isIn), `tag ${tag}`).toEqual([true, true])
      const neighbours = [
        idWith(tag - 1, 255),
        idWith(tag + 1, 0),
        idWith(tag, 0, nowMs + 1),
        idWith(tag, 255, nowMs - 1),
      ]
      const others = neighbours.filter((id) => idNumber(id) !== idNumber(idWith(tag, 0)))
      expect(others.map(isIn), `beside tag ${tag}`).toEqual(others.map(() => false))
    }
  })

  it('has ids of its kind only', () => {
    expect(idsOfNumber('drop', 1)?.from).toMatch(/^drop_/)
    expect(idPattern('hold')).toContain('hold_')
  })

  it.each([-1, 0.5, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY])('has none for %d', (number) => {
    expect(idsOfNumber('hold', number)).toBeNull()
  })
})
