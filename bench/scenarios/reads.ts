import type { Scenario } from './scenario.ts'

export const reads: Scenario = {
  name: 'reads',
  summary: 'GET /v1/drops',
  server: 'box',
  prepare: ({ box }) =>
    Promise.resolve({
      template: {
        method: 'GET',
        path: '/v1/drops',
        headers: { Authorization: `Bearer ${box.publishableKey}` },
        body: null,
      },
      variation: null,
    }),
  rowsPerAnswer: {},
}
