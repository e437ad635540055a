import { singleStep } from '../generators/plan.ts'
import { prepareHolds } from '../prepare-holds.ts'
import { prepareAnswers } from '../prepare-answers.ts'
import { payAgain, payHolds } from '../steps.ts'
import type { Scenario } from './scenario.ts'

/** Payments that are sent over and over. */
const paymentsKnown = 10_000

export const duplicates: Scenario = {
  name: 'duplicates',
  summary: `POST /v1/payments with the keys and facts of ${paymentsKnown.toLocaleString('en-US')} that are there already: nothing is written`,
  server: 'box',
  prepare: async ({ sale }, { onProgress, signal }) => {
    const holds = await prepareHolds(sale, paymentsKnown, (done) => onProgress(done, paymentsKnown), signal)
    await prepareAnswers(sale, payHolds(sale, holds), signal)
    return singleStep(payAgain(sale, holds), sale.facts.parking)
  },
}
