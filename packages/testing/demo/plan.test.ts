import { expect, test } from 'vitest'
import { planBuyers } from './plan.ts'

test('planBuyers repeats itself for the same seed, and only for it', () => {
  expect(planBuyers(200, 7)).toEqual(planBuyers(200, 7))
  expect(planBuyers(200, 7)).not.toEqual(planBuyers(200, 8))
})

test('planBuyers has every kind of buyer in a crowd', () => {
  const plans = planBuyers(5_000, 1)
  expect(new Set(plans.map(({ intent }) => intent)).size).toBe(6)
  for (const flag of ['isPatient', 'repeatsHold', 'repeatsPayment', 'isReportedTwice'] as const) {
    expect(plans.some((plan) => plan[flag])).toBe(true)
  }
  expect(plans.filter(({ quantity }) => quantity === 2).length).toBeGreaterThan(100)
})
