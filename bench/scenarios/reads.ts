import { singleStep } from '../generators/plan.ts'
import { readList } from '../steps.ts'
import type { Scenario } from './scenario.ts'

export const reads: Scenario = {
  name: 'reads',
  summary: 'GET /v1/drops',
  server: 'box',
  sends: 'constant',
  prepare: ({ sale }) => Promise.resolve(singleStep(readList(sale), null)),
}
