import { singleStep } from '../generators/plan.ts'
import { refusedHoldWithKey } from '../steps.ts'
import type { Scenario } from './scenario.ts'

export const soldoutKeyed: Scenario = {
  name: 'soldout-keyed',
  summary: 'soldout, with an Idempotency-Key for each request',
  server: 'box',
  isRefused: true,
  prepare: async (lab) => {
    const sale = await lab.openSoldOutSale()
    return singleStep(refusedHoldWithKey(sale), sale.facts.parking)
  },
}
