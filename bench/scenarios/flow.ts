import { prepareHolds } from '../prepare-holds.ts'
import { createHold, payAnswered, readOne } from '../steps.ts'
import type { Scenario } from './scenario.ts'

/** Holds that are there from the start, at least one for each connection: while all wait for holds, payments have one. */
const seedHoldsMin = 64

export const flow: Scenario = {
  name: 'flow',
  summary: 'each buyer reads the drop, holds a unit, and it is paid; the figure is buyers per second',
  server: 'box',
  sends: 'mix',
  counts: 'payment',
  prepare: async ({ sale }, { connections, onProgress, signal }) => {
    const count = Math.max(seedHoldsMin, connections)
    const seed = await prepareHolds(sale, count, (done) => onProgress(done, count), signal)
    const steps = [readOne(sale), createHold(sale), payAnswered(sale, seed)]
    return { steps, order: [0, 1, 2], parking: sale.facts.parking }
  },
}
