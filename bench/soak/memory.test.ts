import { expect, test } from 'vitest'
import { judgeMemory, residentMiB } from './memory.ts'

const trace = (values: readonly number[]) => ({
  name: 'writer',
  pid: 1,
  points: values.map((mib, second) => [second, mib] as const),
})

test.each([
  ['a process that warmed up', [50, 100, 120, 118, 121, 119], true],
  ['one that grows by a tenth', [50, 100, 100, 100, 105, 110], true],
  ['one that grows by more', [50, 100, 100, 100, 105, 111], false],
  ['one that leaks all the time', [10, 20, 30, 40, 50, 60], false],
])('judgeMemory of %s', (_, values, isBounded) => {
  expect(judgeMemory(trace(values)).isBounded).toBe(isBounded)
})

test('residentMiB knows this process, and none that is gone', () => {
  expect(residentMiB(process.pid)).toBeGreaterThan(10)
  expect(residentMiB(2 ** 22 + 1)).toBeNull()
})
