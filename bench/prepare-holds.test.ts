import { expect, test } from 'vitest'
import { strideOf } from './prepare-holds.ts'

test.each([1, 2, 3, 64, 10_000, 20_000, 99_991])('strideOf visits each of %d sales once', (count) => {
  const stride = strideOf(count)
  expect(new Set(Array.from({ length: count }, (_, at) => (at * stride) % count)).size).toBe(count)
})

test('strideOf keeps the sales of a batch apart', () => {
  const batch = Array.from({ length: 30 }, (_, at) => (at * strideOf(10_000)) % 10_000).toSorted((a, b) => a - b)
  expect(Math.min(...batch.slice(1).map((place, at) => place - (batch[at] ?? 0)))).toBeGreaterThan(100)
})
