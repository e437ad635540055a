import { expect, it } from 'vitest'
import { isRejected, rejected, retryable } from './result.ts'
import type { Accepted, RejectionCode, Result } from './result.ts'

/** Every code, with what the same request may expect later. A new code fails to compile here until it is decided. */
const expected: Record<RejectionCode, boolean> = {
  key_reused: false,
  not_found: false,
  invalid_client_secret: false,
  invalid_request: false,
  invalid_transition: false,
  not_live: true,
  sold_out: true,
  limit_reached: false,
  hold_not_active: false,
  payment_conflict: false,
  refund_too_large: false,
  dispute_conflict: false,
  dispute_too_large: false,
  code_used: false,
  code_void: false,
  last_secret_key: false,
  too_many_endpoints: false,
  overloaded: true,
  internal_error: true,
}

const outcomes: Record<Accepted['outcome'], true> = {
  drop_saved: true,
  hold_created: true,
  hold_released: true,
  holds_expired: true,
  payment_recorded: true,
  payment_attached: true,
  refund_saved: true,
  dispute_saved: true,
  fact_taken: true,
  checkout_saved: true,
  checkout_closed: true,
  order_saved: true,
  code_activated: true,
  customer_erased: true,
  api_key_saved: true,
  keys_touched: true,
  webhook_endpoint_saved: true,
  webhook_delivery_saved: true,
  webhook_outcomes_saved: true,
}

it('retryable says for every code whether the same request may succeed later', () => {
  expect(retryable).toEqual(expected)
})

it.each(Object.keys(expected) as RejectionCode[])('isRejected holds for %s', (code) => {
  expect(isRejected(rejected(code, null, ''))).toBe(true)
})

it.each(Object.keys(outcomes))('isRejected does not hold for %s', (outcome) => {
  expect(isRejected({ outcome } as unknown as Result)).toBe(false)
})

it('rejected carries the code, the field and the sentence', () => {
  expect(rejected('sold_out', 'lines', 'None left.')).toEqual({
    outcome: 'sold_out',
    param: 'lines',
    detail: 'None left.',
  })
})
