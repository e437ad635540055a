import fc from 'fast-check'
import { expect, it } from 'vitest'
import { currencies, currencyExponent, formatAmount, isCurrency, parseAmount } from './money.ts'
import type { Currency } from './money.ts'

it.each<[number, Currency, string]>([
  [4_999, 'usd', '49.99 USD'],
  [5, 'usd', '0.05 USD'],
  [99, 'usd', '0.99 USD'],
  [100, 'usd', '1.00 USD'],
  [0, 'usd', '0.00 USD'],
  [-5, 'usd', '-0.05 USD'],
  [-4_999, 'usd', '-49.99 USD'],
  [4_999, 'jpy', '4999 JPY'],
  [0, 'jpy', '0 JPY'],
  [-7, 'jpy', '-7 JPY'],
  [4_999, 'kwd', '4.999 KWD'],
  [1, 'kwd', '0.001 KWD'],
  [0, 'kwd', '0.000 KWD'],
  [-1, 'kwd', '-0.001 KWD'],
  // A float would show 90071992547409.92 here.
  [9_007_199_254_740_991, 'usd', '90071992547409.91 USD'],
])('formatAmount writes %i %s as %s', (amountMinor, currency, text) => {
  expect(formatAmount(amountMinor, currency)).toBe(text)
})

it('formatAmount loses nothing: its digits are the amount, with as many decimals as the currency has', () => {
  const amount = fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER })
  fc.assert(
    fc.property(amount, fc.constantFrom(...currencies), (amountMinor, currency) => {
      const [digits = '', code] = formatAmount(amountMinor, currency).split(' ')
      expect(code).toBe(currency.toUpperCase())
      expect(digits.split('.')[1]?.length ?? 0).toBe(currencyExponent(currency))
      expect(BigInt(digits.replace('.', ''))).toBe(BigInt(amountMinor))
    }),
  )
})

it.each<[Currency, number]>([
  ['usd', 2],
  ['eur', 2],
  ['jpy', 0],
  ['krw', 0],
  ['vnd', 0],
  ['kwd', 3],
])('currencyExponent %s is %i', (currency, exponent) => {
  expect(currencyExponent(currency)).toBe(exponent)
})

it.each([
  ['usd', true],
  ['USD', false],
  ['us', false],
  ['xxx', false],
  ['', false],
  ['toString', false],
  ['__proto__', false],
  ['constructor', false],
])('isCurrency %s is %s', (code, known) => {
  expect(isCurrency(code)).toBe(known)
})

it('parseAmount reads what formatAmount writes', () => {
  const amount = fc.integer({ min: 0, max: 999_999_999_999_999 })
  fc.assert(
    fc.property(amount, fc.constantFrom(...currencies), (amountMinor, currency) => {
      const [digits = ''] = formatAmount(amountMinor, currency).split(' ')
      expect(parseAmount(digits, currency)).toBe(amountMinor)
    }),
  )
})

it.each<[string, Currency]>([
  ['4999', 'usd'],
  ['49.9', 'usd'],
  ['49.999', 'usd'],
  ['.99', 'usd'],
  ['-1.00', 'usd'],
  ['1,000.00', 'usd'],
  ['1e2', 'jpy'],
  ['49.99', 'jpy'],
  ['', 'jpy'],
  ['1.00', 'kwd'],
  // Past 15 digits a number is no longer exact.
  ['99999999999999.99', 'usd'],
])('parseAmount refuses %j in %s', (text, currency) => {
  expect(parseAmount(text, currency)).toBeNull()
})
