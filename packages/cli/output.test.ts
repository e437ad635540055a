import { expect, it } from 'vitest'
import { showAmount, showText, showTime } from './amount.ts'
import { facts, printable, table } from './output.ts'

it('table aligns: texts to the left, numbers to the right, nothing after the end', () => {
  const columns = [
    { title: 'id', value: (row: readonly [string, number, string]) => row[0] },
    { title: 'sold', value: (row: readonly [string, number, string]) => row[1], isNumber: true },
    { title: 'name', value: (row: readonly [string, number, string]) => row[2] },
  ]
  expect(
    table(columns, [
      ['drop_1', 5, 'A'],
      ['d', 12_345, 'Long name'],
    ]),
  ).toEqual(['id       sold  name', 'drop_1      5  A', 'd       12345  Long name'])
  expect(table(columns, [])).toEqual(['id  sold  name'])
})

it('facts aligns names and values', () => {
  expect(
    facts([
      ['a', 1],
      ['long', 'x'],
    ]),
  ).toEqual(['a     1', 'long  x'])
})

it('printable takes from a text what would move the cursor', () => {
  expect(printable('Ada\u001B[2J\r\nLovelace\u0007\u009B')).toBe('Ada  Lovelace  ')
})

it.each<[unknown, unknown, string]>([
  [4_999, 'usd', '49.99 USD'],
  [4_999, 'jpy', '4999 JPY'],
  [4_999, 'xyz', '4999 XYZ (minor units)'],
])('showAmount %s %s', (amount, currency, text) => {
  expect(showAmount(amount, currency)).toBe(text)
})

it('showTime and showText show a dash for nothing', () => {
  expect([showTime(1_800_000_000), showTime(null), showText(null), showText('a'), showText([1])]).toEqual([
    '2027-01-15 08:00:00Z',
    '-',
    '-',
    'a',
    '[1]',
  ])
})
