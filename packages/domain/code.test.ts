import { expect, it } from 'vitest'
import { codeStatus, codeUseKey, formatCode, nothingRefunded, parseCode, skuOfUnits } from './code.ts'
import type { CodeStatus } from './code.ts'

const orderId = 'ord_01fwhe4ydgfk1shh6w1g60eecf'
const code = 'pc_01fwhe4ydgfk1shh6w1g60eecf_7_0123456789abcdef'

it('formatCode and parseCode are each other’s inverse', () => {
  const parts = { orderId, unit: 7, mac: '0123456789abcdef' }
  expect(formatCode(parts)).toBe(code)
  expect(parseCode(code)).toEqual(parts)
  expect(parseCode(formatCode({ ...parts, unit: 7_999 }))).toEqual({ ...parts, unit: 7_999 })
})

it.each([
  '',
  `${code} `,
  `\n${code}`,
  code.toUpperCase(),
  code.replace('pc_', 'ord_'),
  code.replace('_7_', '_07_'),
  code.replace('_7_', '_-1_'),
  code.replace('_7_', '_1e3_'),
  code.replace('_7_', '_10000_'),
  code.replace('_7_', '__'),
  code.replace('_01f', '_81f'),
  code.slice(0, -1),
  `${code}0`,
  code.replace('abcdef', 'abcdel'),
])('parseCode refuses %j', (text) => {
  expect(parseCode(text)).toBeNull()
})

const lines = [
  { skuId: 'a', quantity: 2 },
  { skuId: 'b', quantity: 1 },
  { skuId: 'a', quantity: 1 },
]

it('skuOfUnits numbers units over all lines in order', () => {
  expect(skuOfUnits(lines)).toEqual(['a', 'a', 'b', 'a'])
  expect(codeUseKey(orderId, 3)).toBe(`${orderId} 3`)
})

const [v, u, x]: CodeStatus[] = ['valid', 'used', 'void']

/** Units are a, a, b, a. */
it.each([
  ['nothing happened', [], nothingRefunded, [v, v, v, v]],
  ['some were used', [0, 2], nothingRefunded, [u, v, u, v]],
  ['one was refunded: the last of its SKU', [], new Map([['a', 1]]), [v, v, v, x]],
  ['one was refunded, the last was used: the last that was not', [3], new Map([['a', 1]]), [v, x, v, u]],
  ['one was refunded, then the first used', [0], new Map([['a', 1]]), [u, v, v, x]],
  ['two were refunded', [1], new Map([['a', 2]]), [x, u, v, x]],
  ['all of a SKU were refunded, one of them used', [1], new Map([['a', 3]]), [x, u, v, x]],
  [
    'everything was refunded',
    [],
    new Map([
      ['a', 3],
      ['b', 1],
    ]),
    [x, x, x, x],
  ],
])('codeStatus when %s', (_, used, refunded, statuses) => {
  const usedMs = (unit: number): number | null => (used.some((other) => other === unit) ? 1 : null)
  expect([0, 1, 2, 3].map((unit) => codeStatus({ skus: skuOfUnits(lines), refunded, usedMs }, unit))).toEqual(statuses)
})
