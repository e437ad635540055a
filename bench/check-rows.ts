import type { LoadResult } from './generators/generator.ts'
import type { Step } from './generators/plan.ts'
import type { RowCounts } from './row-counts.ts'

/** Rows that the answers should have added, by name. */
export function expectedRows(
  steps: readonly Pick<Step, 'name' | 'rows'>[],
  answers: Readonly<Record<string, number>>,
): Partial<RowCounts> {
  const sums: { -readonly [Name in keyof RowCounts]?: number } = {}
  for (const { name, rows } of steps) {
    for (const [kind, perAnswer] of Object.entries(rows) as [keyof RowCounts, number][]) {
      sums[kind] = (sums[kind] ?? 0) + perAnswer * (answers[name] ?? 0)
    }
  }
  return sums
}

/**
 * Why a figure is void, or null. In a closed loop every request must be answered as expected; in an open one some may
 * fail, and the success rate says how many. Either way the rows must be those of the answers: one more or less is void.
 */
export function findViolation(
  steps: readonly Pick<Step, 'name' | 'rows'>[],
  load: Pick<LoadResult, 'ok' | 'refused' | 'errors' | 'failedConnects' | 'answers' | 'schedule'>,
  before: RowCounts,
  after: RowCounts,
): string | null {
  const mayFail = load.schedule !== null
  if (!mayFail && load.errors > 0) return `${load.errors} requests without an answer`
  if (!mayFail && load.failedConnects > 0) return `${load.failedConnects} connections that could not be opened`
  if (!mayFail && load.refused > 0) return `${load.refused} answers that are not as expected`
  if (load.ok === 0) return 'no request was answered as expected'
  const expected = expectedRows(steps, load.answers)
  for (const name of Object.keys(after) as (keyof RowCounts)[]) {
    const [added, wanted] = [after[name] - before[name], expected[name] ?? 0]
    // Of a request without an answer nobody knows whether it took effect. It can add rows, and never takes others away.
    const effects = mayFail ? steps.map(({ rows }) => load.errors * (rows[name] ?? 0)) : []
    if (added < wanted + Math.min(0, ...effects) || added > wanted + Math.max(0, ...effects)) {
      return `${load.ok} accepted answers should make ${wanted} ${name}, there are ${added}`
    }
  }
  return null
}
