import { expect, test } from 'vitest'
import { describeCounts, describeStatus } from './wrk.ts'
import { luaString, wrkPlan } from './wrk-plan.ts'
import type { Step } from './plan.ts'

const parking = { method: 'GET', path: '/late', headers: {}, body: null } as const
const where = { url: 'http://127.0.0.1:80', threads: 2, seconds: 1.5, folder: '/x' }
const step = (name: string, tokens: Step['tokens'], changes: Partial<Step> = {}): Step => ({
  name,
  template: { method: 'GET', path: `/${name}${tokens === null ? '' : '/{token}'}`, headers: {}, body: null },
  tokens,
  expects: '2xx',
  rows: {},
  answerStart: `{"${name}"`,
  ...changes,
})

test('wrkPlan writes a Lua table of the steps, and their tokens as files', () => {
  const steps = [
    step('read', null),
    step('hold', { kind: 'count', from: 7 }, { keepsId: true }),
    step('pay', { kind: 'answered', seed: ['a', 'b'] }, { expects: 201 }),
    step('list', { kind: 'list', list: ['c', 'd'], again: true }),
  ]
  const { lua, files } = wrkPlan({ steps, order: [0, 1, 2, 3] }, parking, where)
  expect(lua.split('\n')).toEqual([
    `return { threads = 2, seconds = 1.5, parking = "GET /late HTTP/1.1\\013\\010Host: 127.0.0.1\\013\\010\\013\\010", parked = "{\\034type\\034:\\034urn:penstock:problem:behind\\034", order = {1, 2, 3, 4}, steps = {`,
    `{ pieces = {"GET /read HTTP/1.1\\013\\010Host: 127.0.0.1\\013\\010\\013\\010"}, tokens = "none", answer = "{\\034read\\034", expects = 0, keepsId = false },`,
    `{ pieces = {"GET /hold/", " HTTP/1.1\\013\\010Host: 127.0.0.1\\013\\010\\013\\010"}, tokens = "count", from = 7, answer = "{\\034hold\\034", expects = 0, keepsId = true },`,
    `{ pieces = {"GET /pay/", " HTTP/1.1\\013\\010Host: 127.0.0.1\\013\\010\\013\\010"}, tokens = "answered", file = "/x/tokens-2", answer = "{\\034pay\\034", expects = 201, keepsId = false },`,
    `{ pieces = {"GET /list/", " HTTP/1.1\\013\\010Host: 127.0.0.1\\013\\010\\013\\010"}, tokens = "file", file = "/x/tokens-3", again = true, answer = "{\\034list\\034", expects = 0, keepsId = false }`,
    '} }',
    '',
  ])
  expect([...files]).toEqual([
    ['/x/tokens-2', 'a\0b'],
    ['/x/tokens-3', 'c\0d'],
  ])
})

test.each([
  ['one without a sign', { answerStart: undefined }, 'wrk cannot know the answers of b'],
  ['one like another', { answerStart: '{"a"' }, 'wrk cannot tell the answers of a from those of b'],
  ['one that is longer', { answerStart: '{"a":1' }, 'wrk cannot tell the answers of a from those of b'],
])('wrkPlan refuses a mix with %s', (_, changes, message) => {
  const steps = [step('a', null), step('b', null, changes as Partial<Step>)]
  expect(() => wrkPlan({ steps, order: [0, 1] }, parking, where)).toThrow(message)
})

test('luaString escapes what could end it, and bytes that are no text', () => {
  expect(luaString('a"b\\c\n\0é')).toBe('"a\\034b\\092c\\010\\000\\233"')
})

/** As wrk-mix.lua prints it with two threads. */
const recorded =
  '{"sent":26,"elapsedMs":1000.500,"incomplete":0,"ranOut":0,"counts":[[5,4,4,1],[4,4,4,0]],"broken":0,"failedConnects":0,' +
  '"latencyUs":{"mean":10,"p50":9,"p90":11,"p95":12,"p99":13,"p999":14,"max":15}}'

test('describeCounts adds up the answers of all threads by step', () => {
  const steps = ['read', 'hold', 'payment'].map((name) => ({ name }))
  expect(describeCounts(JSON.parse(recorded), steps)).toMatchObject({
    elapsedMs: 1_000.5,
    ok: 25,
    refused: 1,
    errors: 0,
    failedConnects: 0,
    ranOut: false,
    answers: { read: 9, hold: 8, payment: 8 },
  })
})

test('describeCounts refuses a run in which a request is in doubt', () => {
  expect(() => describeCounts({ ...JSON.parse(recorded), incomplete: 1 }, [])).toThrow('before all its requests')
})

test.each(['2xx', 409] as const)('describeStatus of %s refuses more refusals than requests', (expects) => {
  const { counts: _, ...printed } = JSON.parse(recorded)
  expect(describeStatus({ ...printed, status: 26 }, { name: 'hold', expects })).toMatchObject({
    ok: expects === 409 ? 26 : 0,
  })
  expect(() => describeStatus({ ...printed, status: 27 }, { name: 'hold', expects })).toThrow('27 refusals of 26')
})
