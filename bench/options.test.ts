import { expect, test } from 'vitest'
import { readLadderOptions } from './ladder/options.ts'
import { readBenchOptions } from './options.ts'

const none = new Set(['autocannon', 'own'] as const)
const everything = new Set(['own', 'autocannon', 'k6', 'wrk'] as const)

test.each([
  [['nonsense'], 'there is no scenario "nonsense"'],
  [['--duration', '0'], '--duration is "0", expected a whole number from 1 to 240'],
  [['--rate', '1.5'], '--rate is "1.5"'],
  [['--rate', '100', '--generator', 'wrk'], 'leave --generator out'],
  [['--generator', 'oha'], '--generator is "oha", expected auto, all or one of wrk, k6, autocannon, own'],
  [['--generator', 'wrk'], '--generator is "wrk", but wrk is not installed'],
  [['--generator', 'k6'], '--generator is "k6", but k6 is not installed'],
  [['reads', 'flow', 'mix', '--generator', 'autocannon'], 'which cannot send flow and mix'],
  [['--what'], "Unknown option '--what'"],
])('readBenchOptions refuses %j', (argv, message) => {
  expect(() => readBenchOptions(argv, none)).toThrow(message)
})

test('readBenchOptions takes what is installed in the order of preference, and every scenario that need not be named', () => {
  expect(readBenchOptions([], everything)).toMatchObject({
    generators: ['wrk', 'k6', 'autocannon', 'own'],
    isEachGenerator: false,
    perSecond: null,
  })
  expect(readBenchOptions(['--generator', 'all'], none)).toMatchObject({
    generators: ['autocannon', 'own'],
    isEachGenerator: true,
  })
  expect(readBenchOptions([], none)?.scenarios.map(({ name }) => name)).not.toContain('payments-with-export')
  expect(readBenchOptions(['--help'], none)).toBeNull()
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
