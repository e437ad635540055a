import { expect, test } from 'vitest'
import { goalNotes, growthTables, slopesOf } from './growth-report.ts'
import type { Phase } from '../phase.ts'
import type { Sample } from './measure.ts'
import type { Dimension } from './options.ts'

const latencyUs = { mean: 1, p50: 2_000, p90: 3, p95: 4, p99: 5_000, p999: 6, max: 7 }

function sample(dimension: Dimension, value: number, perSecond: number, violation: string | null = null): Sample {
  const phase = {
    scenario: 'payments',
    generator: 'wrk',
    run: 1,
    perSecond,
    load: {
      elapsedMs: 1,
      ok: 1,
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
    cpu: { generator: 0.1, http: 0.4, writer: 0.5, others: 0, idle: 1 },
    commits: null,
    walBytesPerWrite: 1_234,
    bytes: { before: { database: 0, wal: 0 }, after: { database: 0, wal: 0 } },
  } satisfies Phase
  return { dimension, value, load: 'payments', phase, databaseBytes: 2 ** 20 }
}

test('slopesOf takes medians of the sound runs, each as a share of the standard size', () => {
  const samples = [
    sample('rows', 0, 10_000),
    sample('rows', 1_000_000, 9_000),
    sample('rows', 0, 12_000),
    sample('rows', 1_000_000, 1, 'a row is missing'),
    sample('rows', 0, 11_000),
  ]
  expect(slopesOf(samples)).toEqual([
    {
      dimension: 'rows',
      load: 'payments',
      steps: [
        { value: 0, rate: 11_000, share: 1 },
        { value: 1_000_000, rate: 9_000, share: 9 / 11 },
      ],
    },
  ])
})

test('slopesOf claims no share of what was not measured', () => {
  const samples = [sample('connections', 64, 1, 'void'), sample('connections', 1_000, 5_000)]
  expect(slopesOf(samples)[0]?.steps).toEqual([{ value: 1_000, rate: 5_000, share: null }])
  expect(growthTables(samples)[0]?.rows[0]?.slice(0, 4)).toEqual(['1,000', '5,000', '5,000 – 5,000', '–'])
})

test.each<[Dimension, number, number | null, string | null]>([
  ['rows', 20_000_000, 0.71, 'With 20,000,000: 71%, reached.'],
  ['rows', 20_000_000, 0.7, 'With 20,000,000: 70%, NOT REACHED.'],
  ['rows', 30_000_000, 0.2, 'With 30,000,000: 20%, NOT REACHED.'],
  ['rows', 20_000_000, null, null],
  ['rows', 1_000_000, 0.2, null],
  ['skus', 20_000_000, 0.2, null],
])('goalNotes of %s %i at %s', (dimension, value, share, note) => {
  const notes = goalNotes({ dimension, load: 'payments', steps: [{ value, rate: 1, share }] })
  expect(notes.map((text) => text.slice(text.indexOf('With')))).toEqual(note === null ? [] : [note])
})

test('growthTables shows what a slope would come from', () => {
  const [table] = growthTables([sample('rows', 0, 10_000), sample('rows', 20_000_000, 8_000)])
  expect(table?.title).toBe('Payments by rows')
  expect(table?.rows).toEqual([
    ['0', '10,000', '10,000 – 10,000', '100%', '2.00', '5.00', '–', '–', '50.0', '40.0', '1234', '0.00', '1.0'],
    ['20,000,000', '8,000', '8,000 – 8,000', '80%', '2.00', '5.00', '–', '–', '62.5', '50.0', '1234', '0.00', '1.0'],
  ])
  expect(table?.notes[0]).toContain('80%, reached')
})
