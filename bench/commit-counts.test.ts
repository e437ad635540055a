import { expect, test } from 'vitest'
import { CommitMeter } from '@penstock/writer/commit-meter.ts'
import { commitsBetween } from './commit-counts.ts'

test('commitsBetween is about what happened between two looks only', () => {
  const meter = new CommitMeter()
  meter.record(500, 40)
  const before = meter.counts
  for (let commit = 0; commit < 99; commit++) meter.record(8, 0.2)
  meter.record(208, 3)
  const facts = commitsBetween(before, meter.counts)
  expect(facts).toMatchObject({ commits: 100, batchMean: 10 })
  expect(facts?.batches.slice(0, 9)).toEqual([0, 0, 0, 99, 0, 0, 0, 0, 1])
  expect(facts?.flushMs.mean).toBeCloseTo(0.228)
  expect(facts?.flushMs.p50).toBeCloseTo(0.215, 3)
  expect(facts?.flushMs.p99).toBeCloseTo(0.215, 3)
  expect(commitsBetween(before, before)).toBeNull()
})
