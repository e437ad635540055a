import { countToken, piecesOf, tokenMark } from './plan.ts'
import type { RequestPlan, RequestTemplate, Step } from './plan.ts'

/** Past the time that its own end may take: an answer is waited for, never cut off. */
const gracefulStop = '30s'

/** A step as the script below sees it. */
interface ScriptStep {
  readonly name: string
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | null
  readonly kind: 'none' | 'count' | 'file' | 'requests' | 'answered'
  readonly from: number
  readonly again: boolean
  readonly expects: number
  readonly keepsId: boolean
  /** Times per turn, so that each turn takes numbers of its own. */
  readonly perTurn: number
}

/**
 * A k6 script for a plan, and the files of tokens beside it. A turn (k6: iteration) goes once through the order of the
 * steps on one connection, so a payment is for a hold of the same turn. `shared-iterations` for tokens that are used up,
 * `constant-vus` otherwise; both let the turns under way end when the time is over. Throws for what it cannot send.
 */
export function k6Script(
  { steps, order }: Pick<RequestPlan, 'steps' | 'order'>,
  { url, connections, durationMs }: { url: string; connections: number; durationMs: number },
): { readonly script: string; readonly files: ReadonlyMap<string, string> } {
  const files = new Map<string, string>()
  let turns = Number.POSITIVE_INFINITY
  for (const [place, { tokens, name }] of steps.entries()) {
    const perTurn = order.filter((at) => at === place).length
    if (tokens?.kind === 'answered') checkAnswered(steps, order, place, name)
    if (tokens?.kind !== 'list' && tokens?.kind !== 'requests') continue
    const list = tokens.kind === 'list' ? tokens.list : tokens.list.map((request) => JSON.stringify(parse(request)))
    files.set(`tokens-${place}`, JSON.stringify(list))
    if (tokens.kind === 'requests' || tokens.again !== true) turns = Math.min(turns, Math.floor(list.length / perTurn))
  }
  const isFinite = Number.isFinite(turns)
  // k6 refuses less than a second.
  const duration = `${Math.max(1_000, durationMs)}ms`
  const scenario = isFinite
    ? {
        executor: 'shared-iterations',
        vus: Math.min(connections, turns),
        iterations: turns,
        maxDuration: duration,
        gracefulStop,
      }
    : { executor: 'constant-vus', vus: connections, duration, gracefulStop }
  const setting = {
    steps: steps.map((step, place) => scriptStep(step, url, order.filter((at) => at === place).length)),
    order,
    turns: isFinite ? turns : null,
    options: {
      scenarios: { load: scenario },
      discardResponseBodies: !steps.some(({ keepsId }) => keepsId === true),
      systemTags: ['status'],
      summaryTrendStats: ['avg', 'p(50)', 'p(90)', 'p(95)', 'p(99)', 'p(99.9)', 'max'],
    },
  }
  return { script: `const setting = ${JSON.stringify(setting)}\n${body}`, files }
}

/** A connection is a user of its own in k6, and knows its own answers only. */
function checkAnswered(steps: readonly Step[], order: readonly number[], place: number, name: string): void {
  let ids = 0
  for (const at of order) {
    if (steps[at]?.keepsId === true) ids += 1
    if (at === place) ids -= 1
    if (ids < 0) throw new Error(`k6 cannot send ${name}: nothing before it in its turn brings an id`)
  }
}

function scriptStep(step: Step, url: string, perTurn: number): ScriptStep {
  const { template, tokens, expects, name } = step
  // Refuses tokens of different lengths, as the others do.
  piecesOf(step, url)
  return {
    name,
    method: template.method,
    url: url + template.path,
    headers: template.headers,
    body: template.body,
    kind: tokens === null ? 'none' : tokens.kind === 'list' ? 'file' : tokens.kind,
    from: tokens?.kind === 'count' ? tokens.from : 0,
    again: tokens?.kind === 'list' && tokens.again === true,
    expects: expects === '2xx' ? 0 : expects,
    keepsId: step.keepsId === true,
    perTurn,
  }
}

/** Headers and body of a whole request: k6 sends no bytes of ours. */
function parse(request: string): Pick<RequestTemplate, 'headers' | 'body'> {
  const [head = '', ...rest] = request.split('\r\n\r\n')
  const lines = head.split('\r\n').slice(1)
  const headers = lines.map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)] as const)
  // k6 says these itself.
  const own = headers.filter(([name]) => name !== 'Host' && name !== 'Content-Length')
  return { headers: Object.fromEntries(own), body: rest.join('\r\n\r\n') }
}

const body = `
import http from 'k6/http'
import exec from 'k6/execution'
import { SharedArray } from 'k6/data'
import { Counter } from 'k6/metrics'

export const options = setting.options
const okOf = setting.steps.map((step, place) => new Counter('ok_' + place))
const refused = new Counter('refused')
const lost = new Counter('lost')
const lists = setting.steps.map((step, place) =>
  step.kind === 'file' || step.kind === 'requests'
    ? new SharedArray('tokens-' + place, () => JSON.parse(open('./tokens-' + place)))
    : null)
const fill = (text, token) => text.split('${tokenMark}').join(token)
const filled = (headers, token) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, fill(value, token)]))
const params = setting.steps.map(({ headers }) => ({ headers }))

function send(step, place, number, ids) {
  const { kind, method, url, body, headers } = step
  if (kind === 'none') return http.request(method, url, body, params[place])
  if (kind === 'requests') {
    const request = JSON.parse(lists[place][number])
    return http.request(method, url, request.body, { headers: request.headers })
  }
  const token = kind === 'count' ? String(step.from + number).padStart(${countToken(0).length}, '0')
    : kind === 'answered' ? ids.shift()
    : lists[place][step.again ? number % lists[place].length : number]
  // No id: the hold before it was refused, which is counted there.
  if (token === undefined) return null
  return http.request(method, url, body === null ? null : fill(body, token), { headers: filled(headers, token) })
}

export function setup() {
  console.log('started')
}

export default function () {
  const turn = exec.scenario.iterationInTest
  const ids = []
  const done = setting.steps.map(() => 0)
  for (const place of setting.order) {
    const step = setting.steps[place]
    const response = send(step, place, turn * step.perTurn + done[place]++, ids)
    if (response === null) continue
    const { status } = response
    if (status === 0) lost.add(1)
    else if (step.expects === 0 ? status >= 200 && status < 300 : status === step.expects) {
      okOf[place].add(1)
      if (step.keepsId) ids.push(response.json('id'))
    } else refused.add(1)
  }
}

export function handleSummary(data) {
  const count = (name) => (data.metrics[name] ? data.metrics[name].values.count : 0)
  return {
    stdout: JSON.stringify({
      elapsedMs: data.state.testRunDurationMs,
      ok: setting.steps.map((step, place) => count('ok_' + place)),
      refused: count('refused'),
      lost: count('lost'),
      turns: count('iterations'),
      ofTurns: setting.turns,
      ms: data.metrics.http_req_duration ? data.metrics.http_req_duration.values : {},
    }) + '\\n',
  }
}
`
