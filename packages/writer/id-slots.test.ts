import { describe, expect, it } from 'vitest'
import { idSlots } from '@penstock/domain/limits.ts'
import { IdSlots } from './id-slots.ts'

const takeAll = (slots: IdSlots): (number | null)[] => Array.from({ length: idSlots / 2 }, () => slots.take())

describe('IdSlots', () => {
  it('gives each a slot of its own, and none when all are taken', () => {
    const slots = new IdSlots(4)
    expect(new Set(takeAll(slots)).size).toBe(idSlots / 2)
    expect(slots.take()).toBeNull()
    slots.free(7)
    expect([slots.take(), slots.take()]).toEqual([7, null])
  })

  it('gives none that the writer before or after it gives', () => {
    const [even, odd] = [takeAll(new IdSlots(6)), takeAll(new IdSlots(7))]
    expect(new Set([...even, ...odd]).size).toBe(idSlots)
    expect(Math.max(...[...even, ...odd].map(Number))).toBe(idSlots - 1)
  })

  it('gives a slot that came back after all others', () => {
    const slots = new IdSlots(0)
    const first = Number(slots.take())
    slots.free(first)
    expect(takeAll(slots).at(-1)).toBe(first)
  })
})
