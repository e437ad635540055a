import { expect, test } from 'vitest'
import { describeMachine, diskProblems } from './machine.ts'

test.each([
  ['ext4', 0],
  ['unknown', 0],
  ['tmpfs', 1],
  ['ramfs', 1],
])('diskProblems of %s', (fileSystem, count) => {
  expect(diskProblems({ fileSystem })).toHaveLength(count)
})

test('describeMachine names a file system', () => {
  expect(describeMachine().fileSystem).toMatch(/^\w+$/)
})
