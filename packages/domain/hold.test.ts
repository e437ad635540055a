import fc from 'fast-check'
import { expect, it } from 'vitest'
import { holdDeadlineMs, holdStatusAt } from './hold.ts'
import { holdTtlMaxMs, holdTtlMinMs } from './limits.ts'
import { testHold } from './test-hold.ts'
import type { Hold, HoldStatus } from './hold.ts'

const expiresMs = 601_000

const hold = (status: HoldStatus): Hold => testHold({ createdMs: 1_000, expiresMs, status })

it.each<[HoldStatus, number, HoldStatus]>([
  ['active', expiresMs - 1, 'active'],
  ['active', expiresMs, 'expired'],
  ['active', expiresMs + 1, 'expired'],
  ['captured', expiresMs, 'captured'],
  ['released', expiresMs, 'released'],
  ['expired', expiresMs - 1, 'expired'],
])('holdStatusAt of a hold stored as %s at %i is %s', (stored, nowMs, status) => {
  expect(holdStatusAt(hold(stored), nowMs)).toBe(status)
})

it.each([
  [0, 1_000, 1_000],
  [1, 1_000, 2_000],
  [999, 1_000, 2_000],
  [1_000, 1_000, 2_000],
  [1_001, 600_000, 602_000],
])('holdDeadlineMs at %i with a ttl of %i is %i', (nowMs, holdTtlMs, deadlineMs) => {
  expect(holdDeadlineMs(nowMs, holdTtlMs)).toBe(deadlineMs)
})

it('holdDeadlineMs is a whole second, never sooner than the ttl and less than a second later', () => {
  const time = fc.integer({ min: 0, max: 4e12 })
  fc.assert(
    fc.property(time, fc.integer({ min: holdTtlMinMs, max: holdTtlMaxMs }), (nowMs, holdTtlMs) => {
      const deadlineMs = holdDeadlineMs(nowMs, holdTtlMs)
      expect(deadlineMs % 1_000).toBe(0)
      expect(deadlineMs).toBeGreaterThanOrEqual(nowMs + holdTtlMs)
      expect(deadlineMs).toBeLessThan(nowMs + holdTtlMs + 1_000)
    }),
  )
})
