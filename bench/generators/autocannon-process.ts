import { readFileSync } from 'node:fs'
import autocannon from 'autocannon'
import { newHistogram, packHistogram, recordMs } from './latency.ts'
import { countToken } from './plan.ts'
import type { Client } from 'autocannon'

/** One autocannon, alone in its process. Started by autocannon.ts, which tells it what to do. */
export interface Order {
  readonly url: string
  readonly connections: number
  readonly durationMs: number
  /** One piece: a constant request. */
  readonly pieces: readonly string[]
  readonly tokensFile: string | null
  readonly countFrom: number | null
  /** This process takes every `stride`-th token, from `index` on. */
  readonly index: number
  readonly stride: number
  readonly parking: string | null
  readonly expects: '2xx' | number
  readonly again: boolean
}

export interface Tally {
  /** Unix milliseconds with fractions. */
  readonly startedMs: number
  readonly endedMs: number
  readonly ok: number
  readonly refused: number
  readonly errors: number
  readonly ranOut: boolean
  /** An hdr-histogram of microseconds, compressed and in base64. */
  readonly latency: string
}

export type ProcessMessage = 'loaded' | { readonly tally: Tally }

const nowMs = (): number => performance.timeOrigin + performance.now()

function run(order: Order): void {
  const { connections, durationMs, parking, expects } = order
  const nextRequest = requestSource(order)
  const latency = newHistogram()
  const startedMs = nowMs()
  const deadlineMs = startedMs + durationMs
  let [ok, refused, errors, parked] = [0, 0, 0, 0]
  let ranOut = false

  const finish = (): void => {
    const tally: Tally = {
      startedMs,
      endedMs: nowMs(),
      ok,
      refused,
      errors,
      ranOut,
      latency: packHistogram(latency),
    }
    process.send?.({ tally }, () => process.exit(0))
  }
  // autocannon builds a request object, headers and a buffer for each request, and at its end cuts off what is under
  // way. Overriding what it writes spares the first; parking each connection (see plan.ts) the second.
  const setupClient = (client: Client): void => {
    let state: 'free' | 'waiting' | 'parked' = 'free'
    client.getRequestBuffer = () => {
      // The parked request was answered; its connection rests all the same.
      if (state === 'parked') return parking ?? ''
      // autocannon connected again: no answer will come.
      if (state === 'waiting') errors += 1
      state = 'waiting'
      const isOver = nowMs() >= deadlineMs
      const request = isOver && parking !== null ? null : nextRequest()
      if (request !== null) return request
      if (!isOver) ranOut = true
      state = 'parked'
      parked += 1
      if (parked === connections) setImmediate(finish)
      return parking ?? ''
    }
    client.on('response', (status, _bytes, durationMs_) => {
      if (state === 'parked') return
      state = 'free'
      if (expects === '2xx' ? status >= 200 && status < 300 : status === expects) ok += 1
      else refused += 1
      recordMs(latency, durationMs_)
    })
  }
  // Longer than the phase: the phase ends by parking, or by the timer below when nothing needs to be settled.
  autocannon(
    { url: order.url, connections, duration: durationMs / 1_000 + 60, timeout: 10, setupClient },
    () => undefined,
  )
  if (parking === null) setTimeout(finish, durationMs)
}

/** Null when the tokens are used up. */
function requestSource({ pieces, tokensFile, countFrom, index, stride, again }: Order): () => Buffer | string | null {
  if (pieces.length === 1) {
    const request = Buffer.from(pieces[0] ?? '')
    return () => request
  }
  let at = index
  const join = (token: string): string => pieces.join(token)
  if (countFrom !== null) {
    return () => {
      at += stride
      return join(countToken(countFrom + at - stride))
    }
  }
  const tokens = readFileSync(tokensFile ?? '', 'latin1').split('\0')
  return () => {
    if (again && at >= tokens.length) at = index
    const token = tokens[at]
    at += stride
    return token === undefined ? null : join(token)
  }
}

process.on('message', (message: { order: Order } | 'go') => {
  if (message === 'go') return
  const start = (): void => run(message.order)
  process.once('message', start)
  process.send?.('loaded')
})
process.on('disconnect', () => process.exit(1))
