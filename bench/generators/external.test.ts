import { once } from 'node:events'
import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { Lab } from '../lab.ts'
import { measurePhase } from '../phase.ts'
import { duplicates } from '../scenarios/duplicates.ts'
import { flow } from '../scenarios/flow.ts'
import { mix } from '../scenarios/mix.ts'
import { payments } from '../scenarios/payments.ts'
import { webhooks } from '../scenarios/webhooks.ts'
import { findK6, K6 } from './k6.ts'
import { singleStep } from './plan.ts'
import { findWrk, Wrk } from './wrk.ts'
import type { AddressInfo } from 'node:net'
import type { Phase } from '../phase.ts'
import type { Scenario } from '../scenarios/scenario.ts'
import type { Generator } from './generator.ts'

const never = new AbortController().signal
const [wrkVersion, k6Version] = [findWrk(), findK6()]
const connections = 10

let lab: Lab
beforeAll(async () => {
  lab = await Lab.open({ httpProcesses: 2 })
})
afterAll(() => lab.close())

async function measure(scenario: Scenario, generator: Generator, requestsMax = 1_000): Promise<Phase> {
  const preparation = { requestsMax, connections, onProgress: () => undefined, signal: never }
  return measurePhase({
    lab,
    scenario: scenario.name,
    server: scenario.server,
    run: 1,
    plan: await scenario.prepare(lab, preparation),
    generator,
    counts: scenario.counts,
    connections,
    durationMs: 300,
    signal: never,
    onMeasuring: () => undefined,
  })
}

const wrks: readonly [string, () => Generator][] = [
  ['wrk with two threads', () => new Wrk(wrkVersion ?? '', 2)],
  ['wrk that looks at answers', () => new Wrk(wrkVersion ?? '', 1, { looksAtAnswers: true })],
]
const k6s: readonly [string, () => Generator][] = [['k6', () => new K6(k6Version ?? '')]]
const installed = [...(wrkVersion === null ? [] : wrks), ...(k6Version === null ? [] : k6s)]

describe.skipIf(installed.length === 0)('generators of others', () => {
  describe.each(installed)('%s', (_, make) => {
    test('sends whole buyers, and every accepted answer has its row', async () => {
      const { violation, load, rows, perSecond } = await measure(flow, make())
      expect({ violation, refused: load.refused, errors: load.errors }).toEqual({
        violation: null,
        refused: 0,
        errors: 0,
      })
      expect(load.answers).toEqual({
        status: expect.any(Number),
        hold: rows['holds'],
        payment: rows['payments'],
      })
      expect(load.answers['payment']).toBeGreaterThan(10)
      expect(perSecond).toBeCloseTo((load.answers['payment'] ?? 0) / (load.elapsedMs / 1_000))
    })

    test('sends the mix', async () => {
      const { violation, load, rows } = await measure(mix, make(), 50_000)
      expect(violation).toBeNull()
      expect(rows['payments']).toBe((load.answers['payment'] ?? 0) + (load.answers['unknown'] ?? 0))
    })

    test('ends when its holds are used up', async () => {
      const { violation, load } = await measure(payments, make(), 200)
      expect({ violation, ok: load.ok, ranOut: load.ranOut }).toEqual({ violation: null, ok: 200, ranOut: true })
    })

    test('sends signed webhooks, and the same payments over and over', async () => {
      expect(await measure(webhooks, make(), 200)).toMatchObject({ violation: null, load: { ok: 200 } })
      expect(await measure(duplicates, make())).toMatchObject({ violation: null, load: { ranOut: false } })
    })
  })
})

test.skipIf(wrkVersion === null)('wrk counts answers that are not as expected', async () => {
  const plan = await flow.prepare(lab, { requestsMax: 0, connections, onProgress: () => undefined, signal: never })
  const steps = plan.steps.map((step) => (step.name === 'hold' ? { ...step, expects: 409 as const } : step))
  const load = { url: lab.box.url, plan: { ...plan, steps }, connections, durationMs: 200 }
  const { answers, refused } = await new Wrk(wrkVersion ?? '', 1).run(load, {
    onStarted: () => undefined,
    signal: never,
  })
  expect(answers['hold']).toBe(0)
  expect(refused).toBeGreaterThan(0)
})

test.skipIf(wrkVersion === null)('wrk refuses a run in which connections may have parked twice', async () => {
  let asked = 0
  const server = createServer(({ url }, response) => {
    asked += 1
    // The second is under way for longer than the other connection is parked.
    const ms = url === '/parking' ? 2_000 : asked === 2 ? 4_000 : 20
    setTimeout(() => response.end(), ms)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const request = (path: string) => ({ method: 'GET', path, headers: {}, body: null }) as const
  const tokens = { kind: 'count', from: 0 } as const
  const step = { name: 'read', template: request('/{token}'), tokens, expects: '2xx', rows: {} } as const
  const plan = singleStep(step, request('/parking'))
  const load = { url: `http://127.0.0.1:${port}`, plan, connections: 2, durationMs: 200 }
  const run = new Wrk(wrkVersion ?? '', 1).run(load, { onStarted: () => undefined, signal: never })
  await expect(run).rejects.toThrow('wrk ended before all its requests were answered')
})
