import { singleStep } from '../generators/plan.ts'
import { prepareHolds } from '../prepare-holds.ts'
import { payHolds } from '../steps.ts'
import type { Scenario } from './scenario.ts'

export const payments: Scenario = {
  name: 'payments',
  summary: 'POST /v1/payments, each for its own hold (made before), with an Idempotency-Key',
  server: 'box',
  prepare: async ({ sale }, { requestsMax, onProgress, signal }) => {
    const list = await prepareHolds(sale, requestsMax, (done) => onProgress(done, requestsMax), signal)
    return singleStep(payHolds(sale, list), sale.facts.parking)
  },
}
