import { singleStep } from '../generators/plan.ts'
import { refusedHold } from '../steps.ts'
import type { Scenario } from './scenario.ts'

export const soldout: Scenario = {
  name: 'soldout',
  summary: 'POST /v1/holds of a SKU of which nothing is left, each by a fresh buyer: 409, nothing is written',
  server: 'box',
  isRefused: true,
  prepare: async (lab) => {
    const sale = await lab.openSoldOutSale()
    return singleStep(refusedHold(sale), sale.facts.parking)
  },
}
