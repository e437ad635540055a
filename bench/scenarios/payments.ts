import { unitAmount } from '../lab.ts'
import { prepareHolds } from '../prepare-holds.ts'
import type { Scenario } from './scenario.ts'

export const payments: Scenario = {
  name: 'payments',
  summary: 'POST /v1/payments, each for its own hold (made before), with an Idempotency-Key',
  server: 'box',
  prepare: async (lab, { requestsMax, onProgress, signal }) => {
    const list = await prepareHolds(lab, requestsMax, (done) => onProgress(done, requestsMax), signal)
    return {
      template: {
        method: 'POST',
        path: '/v1/payments',
        headers: {
          Authorization: `Bearer ${lab.box.secretKey}`,
          'Content-Type': 'application/json',
          'Idempotency-Key': '{token}',
        },
        body: JSON.stringify({
          hold: '{token}',
          provider: 'manual',
          provider_payment_id: 'pi_{token}',
          amount: unitAmount,
          currency: 'usd',
        }),
      },
      variation: { tokens: { kind: 'list', list }, parking: lab.parkingRequest },
    }
  },
  // A unit that was held is sold. The ledger has one row per double entry.
  rowsPerAnswer: { payments: 1, orders: 1, ledgerEntries: 1, keys: 1, unitsSold: 1, unitsHeld: -1 },
}
