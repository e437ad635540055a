import type { Scenario } from './scenario.ts'

export const empty: Scenario = {
  name: 'empty',
  summary: 'an empty uWebSockets.js response, the yardstick for reads',
  server: 'empty',
  prepare: () => Promise.resolve({ template: { method: 'GET', path: '/', headers: {}, body: null }, variation: null }),
  rowsPerAnswer: {},
}
