import { expect, test } from 'vitest'
import { readGrowthOptions } from './options.ts'

test.each([
  [['columns'], 'nothing called "columns" grows'],
  [['--rows', '1,x'], '--rows is "x"'],
  [['--skus', '20001'], '--skus is "20001", expected a whole number from 1 to 20,000'],
  [['--connections', ''], '--connections is ""'],
  [['--loads', 'payments,mix'], '--loads has "mix", expected some of payments, holds, flow, reads'],
  [['--generator', 'k6'], '--generator is "k6"'],
  [['--generator', 'wrk'], 'wrk is not installed'],
  [['--duration', '0'], '--duration is "0"'],
  [['--runs', '0'], '--runs is "0"'],
  [['--audit-rows', '-1'], 'argument is ambiguous'],
])('readGrowthOptions refuses %j', (argv, message) => {
  expect(() => readGrowthOptions(argv, false)).toThrow(message)
})

test('readGrowthOptions compares with the standard size, named or not', () => {
  const options = readGrowthOptions(['rows', '--rows', '1000,10', '--skus', '1', '--connections', '100,32'], true)
  expect(options).toMatchObject({
    dimensions: ['rows'],
    values: { rows: [0, 10, 1_000], skus: [1], connections: [32, 64, 100] },
    generator: 'wrk',
  })
  expect(readGrowthOptions([], false)).toMatchObject({ generator: 'own', dimensions: ['rows', 'skus', 'connections'] })
  expect(readGrowthOptions([], true)?.loads.map(({ name }) => name)).toEqual(['payments'])
  expect(readGrowthOptions(['--help'], true)).toBeNull()
})
