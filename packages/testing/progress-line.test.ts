import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { ProgressLine } from './progress-line.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

it('ProgressLine writes a line to a log when it is another, at most one a second', () => {
  const log = new PassThrough()
  const progress = new ProgressLine(log as unknown as NodeJS.WriteStream)
  const seconds = (count: number): string => {
    vi.advanceTimersByTime(count * 1_000)
    return String(log.read() ?? '')
  }
  progress.show(() => 'filling')
  expect(seconds(0)).toBe('')
  expect(seconds(3)).toBe('filling\n')
  progress.show(() => 'skipped')
  progress.show(() => 'auditing')
  expect(seconds(3)).toBe('auditing\n')
  progress.note('done')
  progress.show(() => 'filling')
  expect(seconds(1)).toBe('done\nfilling\n')
  progress.stop()
  expect(seconds(3)).toBe('')
})
