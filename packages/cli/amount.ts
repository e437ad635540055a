import { formatAmount, isCurrency } from '@penstock/domain/money.ts'

/** `49.99 USD`; minor units where the currency is unknown to this release. */
export function showAmount(amountMinor: unknown, currency: unknown): string {
  const code = String(currency)
  return isCurrency(code)
    ? formatAmount(Number(amountMinor), code)
    : `${String(amountMinor)} ${code.toUpperCase()} (minor units)`
}

/** `2026-11-22 16:29:11Z` of Unix seconds; a dash for null. */
export function showTime(seconds: unknown): string {
  if (typeof seconds !== 'number') return '-'
  return new Date(seconds * 1_000).toISOString().replace('T', ' ').replace('.000', '')
}

/** The text of an optional field; a dash when there is none. */
export function showText(value: unknown): string {
  if (value === null || value === undefined) return '-'
  return typeof value === 'string' ? value : JSON.stringify(value)
}
