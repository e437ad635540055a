import { expect, it } from 'vitest'
import { latencies } from './report.ts'
import { Tally } from './tally.ts'

it('latencies never show a percentile above the slowest answer', () => {
  const tally = new Tally()
  // Both are in one bucket, which ends at 1000.447 ms.
  for (const elapsedMs of [1_000, 1_000.1]) tally.answered('hold', elapsedMs)
  const [, line = ''] = latencies(tally)
  expect(line.trim().split(/\s+/)).toEqual(['hold', '2', '1000.1', '1000.1', '1000.1'])
})
