import { spreadEvenly } from '../generators/plan.ts'
import { prepareHolds } from '../prepare-holds.ts'
import { createHold, payAnswered, payUnknown, readList, readOne } from '../steps.ts'
import type { RequestPlan } from '../generators/plan.ts'
import type { Sale } from '../sale.ts'
import type { Scenario } from './scenario.ts'

/** Of ten requests: the mix of the old system's report. Hold and pay are two requests of one buyer. */
const weights = { list: 6, hold: 1, payment: 1, unknown: 1, status: 1 } as const
/** Payments wait for a hold to be answered; this many are there from the start, so that a stall does not reorder the mix. */
const seedHoldsMin = 64

/** One request in so many pays a hold, and one is for an unknown hold. */
export const mixedPaymentEvery = 10
/** Processes of the generator share what was prepared, and must not run out at its end. */
const unknownReserve = 100

/** `seed`: holds to pay first. Good for `requestsMax` requests within the next 300 s, as long as signatures are taken. */
export function mixedPlan(sale: Sale, seed: readonly string[], requestsMax: number): RequestPlan {
  const unknownMax = Math.ceil(requestsMax / mixedPaymentEvery) + unknownReserve
  const unknown = payUnknown(sale, unknownMax, Math.floor(Date.now() / 1_000))
  return {
    steps: [readList(sale), createHold(sale), payAnswered(sale, seed), unknown, readOne(sale)],
    order: spreadEvenly(Object.values(weights)),
    parking: sale.facts.parking,
  }
}

export const mix: Scenario = {
  name: 'mix',
  summary: '60% list, 20% hold and pay, 10% webhook for an unknown hold, 10% one drop',
  server: 'box',
  sends: 'mix',
  prepare: async ({ sale }, { requestsMax, connections, onProgress, signal }) => {
    const count = Math.max(seedHoldsMin, connections)
    const seed = await prepareHolds(sale, count, (done) => onProgress(done, count), signal)
    return mixedPlan(sale, seed, requestsMax)
  },
}
