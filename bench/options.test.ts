import { expect, test } from 'vitest'
import { readLadderOptions } from './ladder/options.ts'
import { readBenchOptions } from './options.ts'

test.each([
  [['nonsense'], 'there is no scenario "nonsense"'],
  [['--duration', '0'], '--duration is "0", expected a whole number from 1 to 240'],
  [['--rate', '1.5'], '--rate is "1.5"'],
  [['--rate', '100', '--generator', 'wrk'], 'leave --generator out'],
  [['--generator', 'k6'], '--generator is "k6"'],
  [['--generator', 'wrk'], 'wrk is not installed'],
  [['--what'], "Unknown option '--what'"],
])('readBenchOptions refuses %j', (argv, message) => {
  expect(() => readBenchOptions(argv, false)).toThrow(message)
})

test('readBenchOptions takes what is installed, and every scenario that need not be named', () => {
  expect(readBenchOptions([], true)).toMatchObject({ generators: ['wrk', 'own'], perSecond: null })
  expect(readBenchOptions([], false)?.generators).toEqual(['autocannon', 'own'])
  expect(readBenchOptions([], true)?.scenarios.map(({ name }) => name)).not.toContain('payments-with-export')
  expect(readBenchOptions(['--help'], true)).toBeNull()
})

test.each([
  [['up'], 'there is no ladder "up"'],
  [['--rungs', '1000,x'], '--rungs is "x"'],
  [['--rungs', ''], '--rungs is ""'],
  [['--runs', '101'], '--runs is "101"'],
])('readLadderOptions refuses %j', (argv, message) => {
  expect(() => readLadderOptions(argv)).toThrow(message)
})

test('readLadderOptions climbs upwards, whatever the order of the rungs', () => {
  expect(readLadderOptions(['mixed', '--rungs', '500,100'])).toMatchObject({ ladders: ['mixed'], rungs: [100, 500] })
})
