import { expect, test } from 'vitest'
import { describeK6 } from './k6.ts'
import { k6Script } from './k6-script.ts'
import type { Step } from './plan.ts'

const load = { url: 'http://127.0.0.1:8080', connections: 8, durationMs: 2_000 }
const step = (name: string, tokens: Step['tokens'], keepsId = false): Step => ({
  name,
  template: { method: 'POST', path: '/x', headers: { Key: '{token}' }, body: '{"t":"{token}"}' },
  tokens,
  expects: '2xx',
  rows: {},
  ...(keepsId ? { keepsId } : {}),
})

function settingOf(script: string): {
  options: { scenarios: { load: Record<string, unknown> } }
  turns: number | null
  steps: Record<string, unknown>[]
} {
  return JSON.parse(/^const setting = (.*)$/m.exec(script)?.[1] ?? '')
}

test('k6Script takes users for a time, where tokens have no end', () => {
  const { script, files } = k6Script({ steps: [step('hold', { kind: 'count', from: 5 })], order: [0] }, load)
  expect(settingOf(script)).toMatchObject({
    options: { scenarios: { load: { executor: 'constant-vus', vus: 8, duration: '2000ms' } } },
    turns: null,
    steps: [{ name: 'hold', kind: 'count', from: 5, perTurn: 1, url: 'http://127.0.0.1:8080/x' }],
  })
  expect(files.size).toBe(0)
})

test('k6Script takes as many turns as there are tokens for', () => {
  const tokens = { kind: 'list', list: ['a', 'b', 'c'] } as const
  const { script, files } = k6Script({ steps: [step('pay', tokens)], order: [0] }, load)
  expect(settingOf(script)).toMatchObject({
    options: { scenarios: { load: { executor: 'shared-iterations', vus: 3, iterations: 3, maxDuration: '2000ms' } } },
    turns: 3,
  })
  expect([...files]).toEqual([['tokens-0', '["a","b","c"]']])
  const twice = k6Script({ steps: [step('pay', tokens)], order: [0, 0] }, load)
  expect(settingOf(twice.script)).toMatchObject({ turns: 1, steps: [{ perTurn: 2 }] })
})

test('k6Script takes whole requests apart, since k6 writes Host and Content-Length itself', () => {
  const request = 'POST /x HTTP/1.1\r\nHost: a\r\nSig: t=1,v1=2\r\nContent-Length: 7\r\n\r\n{"a":1}'
  const { files } = k6Script({ steps: [step('webhook', { kind: 'requests', list: [request] })], order: [0] }, load)
  expect(JSON.parse(JSON.parse(files.get('tokens-0') ?? '')[0])).toEqual({
    headers: { Sig: 't=1,v1=2' },
    body: '{"a":1}',
  })
})

test('k6Script refuses a payment that has no hold in its turn', () => {
  const steps = [step('hold', { kind: 'count', from: 0 }, true), step('pay', { kind: 'answered', seed: ['x'] })]
  expect(() => k6Script({ steps, order: [0, 1] }, load)).not.toThrow()
  expect(() => k6Script({ steps, order: [1, 0] }, load)).toThrow('k6 cannot send pay')
  expect(() => k6Script({ steps, order: [0, 1, 1] }, load)).toThrow('k6 cannot send pay')
})

/** As k6 1.8.1 gave it to the script. */
const recorded = {
  elapsedMs: 2_004.25,
  ok: [10, 9],
  refused: 1,
  lost: 0,
  turns: 10,
  ofTurns: 10,
  ms: { avg: 1.5, 'p(50)': 1.25, 'p(90)': 2, 'p(95)': 2.5, 'p(99)': 3, 'p(99.9)': 4.001, max: 5 },
}

test('describeK6 reads milliseconds as microseconds, and answers by their step', () => {
  expect(describeK6(recorded, [{ name: 'hold' }, { name: 'payment' }])).toEqual({
    elapsedMs: 2_004.25,
    ok: 19,
    refused: 1,
    errors: 0,
    failedConnects: 0,
    answers: { hold: 10, payment: 9 },
    schedule: null,
    latencyUs: { mean: 1_500, p50: 1_250, p90: 2_000, p95: 2_500, p99: 3_000, p999: 4_001, max: 5_000 },
    ranOut: true,
  })
  expect(describeK6({ ...recorded, ofTurns: null, ms: {} }, [])).toMatchObject({ ranOut: false, latencyUs: { p99: 0 } })
})
