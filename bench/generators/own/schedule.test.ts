import { expect, test } from 'vitest'
import { makeSchedule } from './schedule.ts'

function timesOf(perSecond: number, durationMs: number, workers: number): number[] {
  return Array.from({ length: workers }, (_, worker) => makeSchedule(perSecond, durationMs, worker, workers))
    .flatMap(({ count, intendedMs }) => Array.from({ length: count }, (_, place) => intendedMs(place)))
    .toSorted((a, b) => a - b)
}

test.each([1, 2, 3, 7])('makeSchedule of %i workers together is one even row', (workers) => {
  const times = timesOf(1_000, 50, workers)
  expect(times).toHaveLength(50)
  for (const [place, ms] of times.entries()) expect(ms).toBeCloseTo(place, 6)
})

test('makeSchedule does not drift over an hour of an odd rate', () => {
  const { count, intendedMs } = makeSchedule(7_777, 3_600_000, 0, 1)
  expect(count).toBe(27_997_200)
  expect(intendedMs(count - 1)).toBeCloseTo(3_600_000 - 1_000 / 7_777, 3)
})

test('makeSchedule of fewer requests than workers leaves some without any', () => {
  expect([0, 1, 2].map((worker) => makeSchedule(2, 1_000, worker, 3).count)).toEqual([1, 1, 0])
})
