import { singleStep } from '../generators/plan.ts'
import { createHold } from '../steps.ts'
import type { Scenario } from './scenario.ts'

export const holds: Scenario = {
  name: 'holds',
  summary: 'POST /v1/holds, each by a fresh buyer, one unit of one hot SKU, limit per customer checked',
  server: 'box',
  prepare: ({ sale }) => Promise.resolve(singleStep(createHold(sale), sale.facts.parking)),
}
