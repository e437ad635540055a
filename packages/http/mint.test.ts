import { describe, expect, it } from 'vitest'
import { idNumber } from '@penstock/domain/id-number.ts'
import { idTimeMs, isId } from '@penstock/domain/id.ts'
import { idSlots, idsPerSlotAndMs } from '@penstock/domain/limits.ts'
import { Mint } from './mint.ts'

const startMs = Date.UTC(2026, 0, 1)

function mintAt(clock: () => number, slot: number): Mint {
  const mint = new Mint(clock)
  mint.useSlot(slot)
  return mint
}

describe('Mint.id', () => {
  it('gives drops, SKUs and holds of one process different numbers, also more in a millisecond than it counts', () => {
    const mint = mintAt(() => startMs, idSlots - 1)
    const ids = Array.from({ length: 10 * idsPerSlotAndMs }, () => mint.id('hold'))
    expect(new Set(ids.map(idNumber)).size).toBe(ids.length)
    expect(ids.toSorted()).toEqual(ids)
    expect(idTimeMs(ids.at(-1) ?? '')).toBe(startMs + 9)
    expect(ids.every((id) => isId('hold', id))).toBe(true)
  })

  it('gives numbers in no other slot', () => {
    const numbersOf = (slot: number): number[] => {
      const mint = mintAt(() => startMs, slot)
      return Array.from({ length: 3 * idsPerSlotAndMs }, () => idNumber(mint.id('drop')))
    }
    const numbers = [0, 1, 128, 255].flatMap(numbersOf)
    expect(new Set(numbers).size).toBe(numbers.length)
  })

  it('never gives a number again when the clock goes back', () => {
    let nowMs = startMs
    const mint = mintAt(() => nowMs, 3)
    const before = mint.id('hold')
    nowMs -= 5_000
    const behind = mint.id('hold')
    nowMs = startMs
    const numbers = [before, behind, mint.id('hold')].map(idNumber)
    expect(numbers.toSorted((a, b) => a - b)).toEqual(numbers)
    expect(new Set(numbers).size).toBe(3)
  })

  it('takes the time of the clock for what has no number', () => {
    expect(idTimeMs(new Mint(() => startMs).id('payment'))).toBe(startMs)
  })
})
