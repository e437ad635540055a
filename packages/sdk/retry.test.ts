import { describe, expect, it, test } from 'vitest'
import { ConnectionError, PenstockError, ProblemError, TimeoutError } from './errors.ts'
import { backoffBaseMs, backoffMaxMs, isRetried, parseRetryAfter, retryWaitMs } from './retry.ts'

const request = { idempotencyKey: 'k', outcomeUnknown: true }

function problem(status: number, code: string, retryable: boolean): ProblemError {
  return new ProblemError(
    { code, status, title: '', detail: '', param: null, request_id: null, retryable },
    null,
    request,
  )
}

describe('isRetried', () => {
  it.each([
    ['a broken connection', new ConnectionError('', request), true],
    ['a timeout', new TimeoutError('', request), true],
    ['429', problem(429, 'rate_limited', true), true],
    ['503 overloaded', problem(503, 'overloaded', true), true],
    ['503 behind', problem(503, 'behind', true), true],
    ['504 deadline_exceeded', problem(504, 'deadline_exceeded', true), true],
    ['500 internal_error: the docs say to ask again', problem(500, 'internal_error', true), true],
    ['a problem that says it will not pass', problem(503, 'gone_for_good', false), false],
    ['409 sold_out, although retryable', problem(409, 'sold_out', true), false],
    ['409 not_live, although retryable', problem(409, 'not_live', true), false],
    ['400', problem(400, 'invalid_request', false), false],
    ['a proxy: 502', problem(502, 'unexpected_response', true), true],
    ['a proxy: 503', problem(503, 'unexpected_response', true), true],
    ['a proxy: 504', problem(504, 'unexpected_response', true), true],
    ['a proxy: 500', problem(500, 'unexpected_response', true), false],
    ['a web page with 200', problem(200, 'unexpected_response', false), false],
    ['any other error', new PenstockError('', request), false],
  ])('%s', (_, error, expected) => {
    expect(isRetried(error)).toBe(expected)
  })
})

describe('retryWaitMs', () => {
  it('is anything below a bound that doubles, with a limit', () => {
    expect(retryWaitMs(1, null, 0)).toBe(0)
    expect([1, 2, 3, 20].map((attempt) => retryWaitMs(attempt, null, 0.5) * 2)).toEqual([
      backoffBaseMs,
      backoffBaseMs * 2,
      backoffBaseMs * 4,
      backoffMaxMs,
    ])
  })

  it('waits for Retry-After first', () => {
    expect(retryWaitMs(1, 1_000, 0.5)).toBe(1_000 + backoffBaseMs / 2)
  })
})

const nowMs = Date.parse('2026-11-22T12:00:00Z')

test.each([
  [null, null],
  ['1', 1_000],
  ['0', 0],
  ['Sun, 22 Nov 2026 12:00:05 GMT', 5_000],
  ['Sun, 22 Nov 2026 11:00:00 GMT', 0],
  ['-1', 0],
  ['soon', null],
  ['99999999999', null],
])('parseRetryAfter of %j is %j', (header, expected) => {
  expect(parseRetryAfter(header, nowMs)).toBe(expected)
})
