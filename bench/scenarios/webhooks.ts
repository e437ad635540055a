import { singleStep } from '../generators/plan.ts'
import { prepareHolds } from '../prepare-holds.ts'
import { payByWebhook, webhookPath } from '../steps.ts'
import type { Scenario } from './scenario.ts'

export const webhooks: Scenario = {
  name: 'webhooks',
  summary: `POST ${webhookPath}, each signed and for its own hold (made before)`,
  server: 'box',
  prepare: async ({ sale }, { requestsMax, onProgress, signal }) => {
    const list = await prepareHolds(sale, requestsMax, (done) => onProgress(done, requestsMax), signal)
    return singleStep(payByWebhook(sale, list, Math.floor(Date.now() / 1_000)), sale.facts.parking)
  },
}
