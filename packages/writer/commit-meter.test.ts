import { expect, test } from 'vitest'
import { CommitMeter } from './commit-meter.ts'

test('CommitMeter counts commits by their size and by their time', () => {
  const meter = new CommitMeter()
  for (const [commands, flushMs] of [
    [1, 0.0005],
    [2, 0.2],
    [3, 0.2],
    [4, 0.2],
    [1_000_000, 1e9],
  ] as const) {
    meter.record(commands, flushMs)
  }
  const { commits, commands, batches, flushes, flushMs } = meter.counts
  expect({ commits, commands }).toEqual({ commits: 5, commands: 1_000_010 })
  expect(flushMs).toBeCloseTo(1e9 + 0.6005)
  expect(batches.slice(0, 3)).toEqual([1, 1, 2])
  expect(batches.at(-1)).toBe(1)
  // 2 ** (31 / 4) = 215 us is the first class that 200 us fit into.
  expect([flushes[0], flushes[31], flushes.at(-1)]).toEqual([1, 3, 1])
})
