import type { Scenario } from './scenario.ts'

/** Numbers set aside for one phase: more than any machine can use. */
const numbersPerPhase = 1_000_000_000

export const holds: Scenario = {
  name: 'holds',
  summary: 'POST /v1/holds, each by a fresh buyer, one unit of one hot SKU, limit per customer checked',
  server: 'box',
  prepare: (lab) =>
    Promise.resolve({
      template: lab.holdRequest,
      variation: {
        tokens: { kind: 'count', from: lab.takeNumbers(numbersPerPhase) },
        parking: lab.parkingRequest,
      },
    }),
  rowsPerAnswer: { holds: 1, unitsHeld: 1 },
}
