import { expect, it } from 'vitest'
import { currencies, currencyExponent, formatAmount, isCurrency } from './money.ts'
import type { Currency } from './money.ts'

/** ISO 4217 list one: the currencies that do not have two decimals. */
const decimals: Readonly<Record<number, readonly string[]>> = {
  0: 'bif clp djf gnf isk jpy kmf krw pyg rwf ugx uyi vnd vuv xaf xof xpf'.split(' '),
  3: 'bhd iqd jod kwd lyd omr tnd'.split(' '),
  4: 'clf uyw'.split(' '),
}
/** Codes of list one that have no minor unit at all: metals, units of account, tests. */
const withoutMinorUnit = 'xag xau xba xbb xbc xbd xdr xpd xpt xsu xts xua xxx'.split(' ')

function isoDecimals(code: string): number {
  return Number(Object.entries(decimals).find(([, codes]) => codes.includes(code))?.[0] ?? 2)
}

it.each(currencies)('currencyExponent %s is that of ISO 4217', (currency) => {
  expect(currencyExponent(currency)).toBe(isoDecimals(currency))
  expect(currency).toMatch(/^[a-z]{3}$/)
})

it.each<Currency>(['jpy', 'krw', 'vnd', 'kwd', 'bhd', 'omr', 'tnd', 'jod'])(
  'isCurrency accepts %s, which does not have two decimals',
  (currency) => {
    expect(isCurrency(currency)).toBe(true)
    expect(isoDecimals(currency)).not.toBe(2)
  },
)

it.each([...withoutMinorUnit, ...(decimals[4] ?? [])])('isCurrency refuses %s: nobody is paid in it', (code) => {
  expect(isCurrency(code)).toBe(false)
})

it('every code is one that Unicode knows, and differs from its decimals only where cash is rounded', () => {
  const known = new Set(Intl.supportedValuesOf('currency').map((code) => code.toLowerCase()))
  const shown = (currency: string): number | undefined =>
    new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits
  expect(currencies.filter((currency) => !known.has(currency))).toEqual([])
  const different = currencies.filter((currency) => shown(currency) !== currencyExponent(currency))
  expect(different.filter((currency) => shown(currency) !== 0 || currencyExponent(currency) !== 2)).toEqual([])
})

it.each<[Currency, string]>([
  ['vnd', '1 VND'],
  ['usd', '0.01 USD'],
  ['tnd', '0.001 TND'],
])('the smallest amount of %s is %s', (currency, text) => {
  expect(formatAmount(1, currency)).toBe(text)
})
