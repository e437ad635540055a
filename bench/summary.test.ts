import { expect, test } from 'vitest'
import { summarise } from './summary.ts'
import type { Phase } from './phase.ts'

function phase(scenario: string, run: number, perSecond: number, violation: string | null = null): Phase {
  const latencyUs = { mean: 1, p50: 1, p90: 1, p95: 1, p99: 1, p999: 1, max: 1 }
  const bytes = { database: 0, wal: 0 }
  return {
    scenario,
    generator: 'wrk',
    run,
    perSecond,
    load: {
      elapsedMs: 1_000,
      ok: perSecond,
      refused: 0,
      errors: 0,
      failedConnects: 0,
      latencyUs,
      ranOut: false,
      answers: {},
      schedule: null,
    },
    rows: {},
    violation,
    cpu: null,
    commits: null,
    walBytesPerWrite: null,
    bytes: { before: bytes, after: bytes },
  }
}

test('summarise shows the median and the spread, without the warm-up and without void phases', () => {
  const phases = [
    phase('reads', 0, 1),
    phase('reads', 1, 300),
    phase('reads', 2, 100),
    phase('reads', 3, 999, 'void'),
    phase('reads', 4, 200),
  ]
  expect(summarise(phases)).toMatchObject([{ perSecond: { median: 200, min: 100, max: 300 } }])
})

test('summarise compares reads with the empty response of the same generator', () => {
  const summaries = summarise([phase('empty', 1, 200), phase('reads', 1, 170)])
  expect(summaries.map(({ percentOfEmpty }) => percentOfEmpty)).toEqual([null, 85])
})
