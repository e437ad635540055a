import { expect, test } from 'vitest'
import { indexGrowthMiB, judge, parentOf, parseHeap, residentMiB } from './memory.ts'
import type { TraceKind } from './memory.ts'

test.each<[string, TraceKind, number[], string]>([
  ['a process that warmed up', 'resident', [50, 100, 120, 120, 118, 121, 119, 120, 118], 'bounded'],
  ['one that grows by a tenth and 4 MiB', 'resident', [0, 0, 0, 100, 100, 100, 105, 110, 114], 'bounded'],
  ['one that grows by more', 'resident', [0, 0, 0, 100, 100, 100, 105, 110, 115], 'growing'],
  ['one that leaks all the time', 'resident', [10, 20, 30, 40, 50, 60, 70, 80, 90], 'growing'],
  ['a heap that breathes', 'heap', [20, 90, 20, 20, 90, 50, 200, 20, 90], 'bounded'],
  ['a heap whose collections leave more each time', 'heap', [20, 90, 30, 90, 40, 90, 60, 90, 80], 'growing'],
  ['a WAL that starts anew', 'wal', [0, 16, 33, 33, 33, 33, 33, 33, 33], 'bounded'],
  ['a WAL that never does', 'wal', [10, 20, 30, 40, 50, 60, 70, 80, 90], 'growing'],
  ['a run that was interrupted at once', 'resident', [50, 50, 50], 'too short'],
  ['nothing', 'heap', [], 'too short'],
])('judge of %s', (_, kind, values, verdict) => {
  const points = values.map((mib, second) => [second, mib] as const)
  expect(judge({ name: 'writer', kind, points }).verdict).toBe(verdict)
})

test('judge allows the writer what its indexes need for the rows of the run', () => {
  const points = [0, 0, 0, 100, 100, 100, 105, 110, 160].map((mib, second) => [second, mib] as const)
  const trace = { name: 'writer', kind: 'resident', points } as const
  expect(judge(trace, 46).verdict).toBe('bounded')
  expect(judge(trace, 45).verdict).toBe('growing')
})

test.each([
  [100_000, 0, 0],
  [2_000_000, 0, 3],
  [6_000_000, 36, 18],
  [30_000_000, 96, 96],
])(
  'indexes need, for %d whole buyers, %d MiB more from two thirds to the end, and %d from one third to two',
  (rows, end, middle) => {
    expect(Math.round(indexGrowthMiB(rows, 'resident'))).toBe(end)
    expect(Math.round(indexGrowthMiB(rows, 'heap'))).toBe(middle)
    expect(indexGrowthMiB(rows, 'wal')).toBe(0)
  },
)

test('judge shows the highest of each third, of a heap the lowest', () => {
  const points = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((mib) => [mib, mib] as const)
  expect(judge({ name: 'x', kind: 'wal', points })).toMatchObject({ thirds: [3, 6, 9], maxMiB: 9 })
  expect(judge({ name: 'x', kind: 'heap', points })).toMatchObject({ thirds: [1, 4, 7], maxMiB: 9 })
})

test.each([
  ['1048576 2097152\n', 3],
  ['1048576 20', null],
  ['', null],
])('parseHeap of %j', (text, mib) => {
  expect(parseHeap(text)).toBe(mib)
})

test('residentMiB and parentOf know this process, and none that is gone', () => {
  expect(residentMiB(process.pid)).toBeGreaterThan(10)
  expect(residentMiB(2 ** 22 + 1)).toBeNull()
  expect(parentOf(process.pid)).toBe(process.ppid)
  expect(parentOf(2 ** 22 + 1)).toBeNull()
})
