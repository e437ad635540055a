import type { Box } from '@penstock/testing/box.ts'
import type { CommitCounts } from '@penstock/writer/commit-meter.ts'

export type { CommitCounts }

/** Commits of one phase. */
export interface CommitFacts {
  readonly commits: number
  /** Commands a commit: the mean, and the classes (at most 2 ** place commands). */
  readonly batchMean: number
  readonly batches: readonly number[]
  /** What COMMIT took, its fsync included, ms: the mean, and upper bounds of the classes that hold p50 and p99. */
  readonly flushMs: { readonly mean: number; readonly p50: number; readonly p99: number }
}

/** Asks the writer: it prints what it has counted. */
export async function askCommitCounts(box: Box): Promise<CommitCounts> {
  const { writer } = box.pids
  if (writer === null) throw new Error('there is no writer to ask')
  const printed = (): string[] => box.output.match(/commits \{.*\}/g) ?? []
  const before = printed().length
  process.kill(writer, 'SIGUSR2')
  await box.until(() => printed().length > before)
  return JSON.parse((printed().at(-1) ?? '').slice('commits '.length)) as CommitCounts
}

/** What was committed between two looks; null when nothing was. */
export function commitsBetween(before: CommitCounts, after: CommitCounts): CommitFacts | null {
  const commits = after.commits - before.commits
  if (commits <= 0) return null
  const flushes = subtract(after.flushes, before.flushes)
  return {
    commits,
    batchMean: (after.commands - before.commands) / commits,
    batches: subtract(after.batches, before.batches),
    flushMs: {
      mean: (after.flushMs - before.flushMs) / commits,
      p50: flushMsAt(flushes, 0.5),
      p99: flushMsAt(flushes, 0.99),
    },
  }
}

function subtract(after: readonly number[], before: readonly number[]): number[] {
  return after.map((count, place) => count - (before[place] ?? 0))
}

/** Upper bound of the class in which `fraction` of all is reached, in ms. */
function flushMsAt(flushes: readonly number[], fraction: number): number {
  const total = flushes.reduce((sum, count) => sum + count, 0)
  let seen = 0
  const place = flushes.findIndex((count) => (seen += count) >= total * fraction)
  return 2 ** (place / 4) / 1_000
}
