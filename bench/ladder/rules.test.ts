import { expect, test } from 'vitest'
import { rungStatus } from './rules.ts'

const perfect = { target: 1_000, actual: 1_000, success: 1, p99Us: 1_000 }

test.each([
  ['all well', perfect, 'PASS'],
  ['just 99%', { ...perfect, actual: 990 }, 'PASS'],
  ['below 99%', { ...perfect, actual: 989.9 }, 'WARN'],
  ['one of many refused', { ...perfect, success: 0.999_999 }, 'WARN'],
  ['p99 of 49.999 ms', { ...perfect, p99Us: 49_999 }, 'PASS'],
  ['p99 of 50 ms', { ...perfect, p99Us: 50_000 }, 'WARN'],
  ['just 90%', { ...perfect, actual: 900 }, 'WARN'],
  ['below 90%', { ...perfect, actual: 899 }, 'FAIL'],
  ['p99 of 499.999 ms', { ...perfect, p99Us: 499_999 }, 'WARN'],
  ['p99 of 500 ms', { ...perfect, p99Us: 500_000 }, 'FAIL'],
] as const)('rungStatus of %s', (_, result, status) => {
  expect(rungStatus(result, true)).toBe(status)
})

test('rungStatus does not blame the server for what the generator cannot offer, and never hides a PASS', () => {
  expect(rungStatus({ ...perfect, actual: 500 }, false)).toBe('NOT OFFERED')
  expect(rungStatus(perfect, false)).toBe('PASS')
})
