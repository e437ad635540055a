import { expect, test } from 'vitest'
import { expectedRows, findViolation } from './check-rows.ts'
import type { RowCounts } from './row-counts.ts'

const none: RowCounts = { holds: 0, payments: 0, orders: 0, ledgerEntries: 0, keys: 0, unitsHeld: 0, unitsSold: 0 }
const steps = [
  { name: 'hold', rows: { holds: 1, unitsHeld: 1 } },
  { name: 'payment', rows: { payments: 1, unitsHeld: -1, unitsSold: 1 } },
  { name: 'list', rows: {} },
]
const answers = { hold: 5, payment: 3, list: 100 }
const closed = { ok: 108, refused: 0, errors: 0, failedConnects: 0, answers, schedule: null }
const after: RowCounts = { ...none, holds: 5, payments: 3, unitsHeld: 2, unitsSold: 3 }

test('expectedRows adds up what the answers of every step should have made', () => {
  expect(expectedRows(steps, answers)).toEqual({ holds: 5, payments: 3, unitsHeld: 2, unitsSold: 3 })
})

test('findViolation finds nothing when every answer has its rows', () => {
  expect(findViolation(steps, closed, none, after)).toBeNull()
})

const schedule = {
  perSecond: 1,
  actualPerSecond: 1,
  planned: 1,
  unsent: 0,
  lateUs: { p50: 0, p99: 0, max: 0 },
  loopBusy: 0,
}
test.each([
  ['an answer missing in a closed loop', { ...closed, errors: 1 }, after, '1 requests without an answer'],
  ['fewer connections in a closed loop', { ...closed, failedConnects: 1 }, after, '1 connections that could not be'],
  ['a refusal in a closed loop', { ...closed, refused: 2 }, after, '2 answers that are not as expected'],
  ['no answer at all', { ...closed, ok: 0 }, after, 'no request'],
  ['a row too few', closed, { ...after, payments: 2 }, 'should make 3 payments, there are 2'],
  ['a row too many', closed, { ...after, holds: 6 }, 'should make 5 holds, there are 6'],
  ['a row that nobody asked for', closed, { ...after, keys: 1 }, 'should make 0 keys, there are 1'],
  ['a lost row in an open loop', { ...closed, schedule, errors: 5 }, { ...after, payments: 2 }, 'there are 2'],
  ['a row of nobody in an open loop', { ...closed, schedule, errors: 5 }, { ...after, keys: 1 }, 'there are 1'],
  ['a row too many in an open loop', { ...closed, schedule }, { ...after, holds: 6 }, 'there are 6'],
])('findViolation finds %s', (_, load, rows, message) => {
  expect(findViolation(steps, load, none, rows)).toContain(message)
})

test('findViolation lets an open loop have refusals, and doubts as many rows as requests had no answer', () => {
  expect(findViolation(steps, { ...closed, schedule, refused: 7 }, none, after)).toBeNull()
  expect(findViolation(steps, { ...closed, schedule, errors: 1 }, none, { ...after, holds: 6 })).toBeNull()
  expect(findViolation(steps, { ...closed, schedule, errors: 1 }, none, { ...after, holds: 7 })).not.toBeNull()
  // A payment without an answer also takes a unit from those held.
  const paid = { ...after, payments: 4, unitsHeld: 1, unitsSold: 4 }
  expect(findViolation(steps, { ...closed, schedule, errors: 1 }, none, paid)).toBeNull()
})
