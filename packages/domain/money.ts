/**
 * Money is an integer in minor units plus a lower-case ISO 4217 code. The exponent says how many decimals the code
 * has; it is needed only to show an amount, never to compute one: nothing in Penstock multiplies by 100.
 */

/** Decimals of each accepted currency (ISO 4217 list one). A code that is missing here is refused. */
const exponents = {
  aed: 2,
  ars: 2,
  aud: 2,
  bgn: 2,
  bhd: 3,
  brl: 2,
  cad: 2,
  chf: 2,
  clp: 0,
  cny: 2,
  cop: 2,
  czk: 2,
  dkk: 2,
  egp: 2,
  eur: 2,
  gbp: 2,
  hkd: 2,
  huf: 2,
  idr: 2,
  ils: 2,
  inr: 2,
  isk: 0,
  jod: 3,
  jpy: 0,
  kes: 2,
  krw: 0,
  kwd: 3,
  mad: 2,
  mxn: 2,
  myr: 2,
  ngn: 2,
  nok: 2,
  nzd: 2,
  omr: 3,
  pen: 2,
  php: 2,
  pkr: 2,
  pln: 2,
  qar: 2,
  ron: 2,
  rsd: 2,
  sar: 2,
  sek: 2,
  sgd: 2,
  thb: 2,
  tnd: 3,
  try: 2,
  twd: 2,
  uah: 2,
  ugx: 0,
  usd: 2,
  uyu: 2,
  vnd: 0,
  zar: 2,
} as const

export type Currency = keyof typeof exponents

export const currencies = Object.keys(exponents) as readonly Currency[]

export function isCurrency(code: string): code is Currency {
  return Object.hasOwn(exponents, code)
}

/** Decimals of `currency`: 2 for usd, 0 for jpy, 3 for kwd. */
export function currencyExponent(currency: Currency): number {
  return exponents[currency]
}

/** `formatAmount(4999, 'usd')` is "49.99 USD"; digits only, no float, no locale. */
export function formatAmount(amountMinor: number, currency: Currency): string {
  const exponent = exponents[currency]
  const digits = String(Math.abs(amountMinor)).padStart(exponent + 1, '0')
  const sign = amountMinor < 0 ? '-' : ''
  const whole = digits.slice(0, digits.length - exponent)
  const text = exponent === 0 ? whole : `${whole}.${digits.slice(-exponent)}`
  return `${sign}${text} ${currency.toUpperCase()}`
}

/**
 * The minor units of an amount written as `formatAmount` writes it, without the code: `parseAmount('49.99', 'usd')` is
 * 4999. Null unless it has exactly the decimals of the currency: 4999 usd could mean two things.
 */
export function parseAmount(text: string, currency: Currency): number | null {
  const exponent = exponents[currency]
  const pattern = exponent === 0 ? /^\d{1,15}$/ : new RegExp(`^\\d{1,${15 - exponent}}\\.\\d{${exponent}}$`)
  return pattern.test(text) ? Number(text.replace('.', '')) : null
}
