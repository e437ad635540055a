import { expect, test } from 'vitest'
import { readOpenFiles, requireConnections, tooMany } from './open-files.ts'

test.each([
  ['Max open files            20000                20000                files     \n', 20_000],
  ['Max processes             1                    1\nMax open files            1024     524288 files', 1_024],
  ['Max open files            unlimited            unlimited            files', null],
  ['', null],
])('readOpenFiles of %j', (limits, files) => {
  expect(readOpenFiles(limits)).toBe(files)
})

test('tooMany names the option and what to type', () => {
  expect(tooMany('connections', 10_000, 1_024)).toBe(
    '--connections is 10,000, but a process may open 1,024 files here: raise it with "ulimit -n 10256"',
  )
})

test('requireConnections lets through what fits', () => {
  expect(() => requireConnections('connections', 1)).not.toThrow()
})
