import { expect, test } from 'vitest'
import { readSoakOptions } from './options.ts'

test.each([
  [['--minutes', '0'], '--minutes is "0", expected a whole number from 1 to 1,440'],
  [['--seconds', 'x'], '--seconds is "x"'],
  [['--connections', '4001'], '--connections is "4001"'],
  [['--generator', 'k6'], '--generator is "k6", expected auto, wrk, own'],
  [['--generator', 'wrk'], 'wrk is not installed'],
  [['now'], "Unexpected argument 'now'"],
])('readSoakOptions refuses %j', (argv, message) => {
  expect(() => readSoakOptions(argv, false)).toThrow(message)
})

test('readSoakOptions loads for ten minutes with what is installed', () => {
  const options = { seconds: 600, connections: 64, generator: 'wrk', isAudited: true }
  expect(readSoakOptions([], true)).toEqual(options)
  expect(readSoakOptions(['--seconds', '30', '--no-audit'], false)).toEqual({
    ...options,
    seconds: 30,
    generator: 'own',
    isAudited: false,
  })
  expect(readSoakOptions(['--help'], true)).toBeNull()
})
