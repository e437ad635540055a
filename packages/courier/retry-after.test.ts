import { expect, it } from 'vitest'
import { webhookRetryAfterMaxMs } from '@penstock/domain/limits.ts'
import { readRetryAfter } from './retry-after.ts'

const nowMs = Date.parse('Fri, 15 Jan 2027 08:00:00 GMT')

it.each<[string | undefined, number | null]>([
  [undefined, null],
  ['', null],
  ['soon', null],
  ['-1', 0],
  ['0', 0],
  ['120', 120_000],
  ['9999999999', webhookRetryAfterMaxMs],
  ['Fri, 15 Jan 2027 08:01:00 GMT', 60_000],
  ['Fri, 15 Jan 2027 07:00:00 GMT', 0],
  ['Fri, 15 Jan 2038 08:00:00 GMT', webhookRetryAfterMaxMs],
])('readRetryAfter makes of %j %j ms', (text, waitMs) => {
  expect(readRetryAfter(text, nowMs)).toBe(waitMs)
})
