import { singleStep } from '../generators/plan.ts'
import type { Scenario } from './scenario.ts'

export const empty: Scenario = {
  name: 'empty',
  summary: 'an empty uWebSockets.js response, the yardstick for reads',
  server: 'empty',
  sends: 'constant',
  prepare: () => {
    const template = { method: 'GET', path: '/', headers: {}, body: null } as const
    return Promise.resolve(singleStep({ name: 'empty', template, tokens: null, expects: '2xx', rows: {} }, null))
  },
}
