import { prepareHolds } from '../prepare-holds.ts'
import { createHold, payAnswered, readOne } from '../steps.ts'
import type { Scenario } from './scenario.ts'

/** Holds that are there from the start, so that nobody waits for the first. */
const seedHolds = 64

export const flow: Scenario = {
  name: 'flow',
  summary: 'each buyer reads the drop, holds a unit, and it is paid; the figure is buyers per second',
  server: 'box',
  isMix: true,
  counts: 'payment',
  prepare: async ({ sale }, { onProgress, signal }) => {
    const seed = await prepareHolds(sale, seedHolds, (done) => onProgress(done, seedHolds), signal)
    return { steps: [readOne(sale), createHold(sale), payAnswered(sale, seed)], order: [0, 1, 2], parking: null }
  },
}
