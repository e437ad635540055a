import { afterAll, beforeAll, expect, test } from 'vitest'
import { Lab } from '../../lab.ts'
import { measurePhase } from '../../phase.ts'
import { mix } from '../../scenarios/mix.ts'
import { measureStall } from '../../stall.ts'
import { readList } from '../../steps.ts'
import { singleStep } from '../plan.ts'
import { Own } from './own.ts'

const never = new AbortController().signal
const silent = { onStarted: () => undefined, signal: never }

let lab: Lab
beforeAll(async () => {
  lab = await Lab.open({ httpProcesses: 2, withEmpty: true })
})
afterAll(() => lab.close())

test('Own in an open loop keeps its rate over two processes, and its answers are the rows', async () => {
  const preparation = { requestsMax: 300, connections: 16, onProgress: () => undefined, signal: never }
  const phase = await measurePhase({
    lab,
    scenario: mix.name,
    server: 'box',
    run: 1,
    plan: await mix.prepare(lab, preparation),
    generator: new Own(2, 300),
    connections: 16,
    durationMs: 1_000,
    signal: never,
    onMeasuring: () => undefined,
  })
  expect(phase).toMatchObject({
    violation: null,
    load: { ok: 300, refused: 0, errors: 0, answers: { list: 180, hold: 30, payment: 30, unknown: 30, status: 30 } },
    rows: { holds: 30, payments: 60, orders: 30, ledgerEntries: 60, keys: 60 },
  })
  expect(phase.load.schedule).toMatchObject({ planned: 300, unsent: 0 })
  expect(await lab.audit(never)).toBeNull()
})

test('Own shows in p99.9 that the writer stood still for 500 ms, whoever waited for whom', async () => {
  const { ok, errors } = await measureStall(lab, never)
  expect({ ok, errors }).toEqual({ ok: 1_000, errors: 0 })
})

test('Own says what it could not send, and that it waited', async () => {
  // Nobody answers these: the HTTP process holds them for two seconds.
  const plan = singleStep({ ...readList(lab.sale), template: lab.sale.facts.parking }, null)
  const load = { url: lab.box.url, plan, connections: 2, durationMs: 300 }
  const { schedule, ok, latencyUs } = await new Own(1, 100).run(load, silent)
  expect(schedule).toMatchObject({ planned: 30, unsent: 28, actualPerSecond: 0 })
  expect(ok).toBe(0)
  expect(latencyUs.p50).toBeGreaterThan(100_000)
})

test('Own in a closed loop ends by itself when its tokens are used up', async () => {
  const step = { ...readList(lab.sale), tokens: { kind: 'list', list: ['a', 'b', 'c'] } } as const
  const load = { url: lab.box.url, plan: singleStep(step, null), connections: 2, durationMs: 60_000 }
  const template = { ...step.template, headers: { ...step.template.headers, 'X-Token': '{token}' } }
  const { ok, ranOut } = await new Own(1, null).run({ ...load, plan: singleStep({ ...step, template }, null) }, silent)
  expect({ ok, ranOut }).toEqual({ ok: 3, ranOut: true })
})

test('Own rejects when nobody listens', async () => {
  const load = {
    url: 'http://127.0.0.1:1',
    plan: singleStep(readList(lab.sale), null),
    connections: 1,
    durationMs: 100,
  }
  await expect(new Own(1, null).run(load, silent)).rejects.toThrow('ECONNREFUSED')
})
