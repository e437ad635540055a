import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ConnectionError, PenstockError, ProblemError, TimeoutError } from './errors.ts'
import { problemReaction, TestServer } from './test-server.ts'
import { Transport } from './transport.ts'
import type { PenstockOptions } from './options.ts'
import type { Reaction } from './test-server.ts'

let server: TestServer

beforeEach(async () => {
  server = await TestServer.start()
})

afterEach(() => server.stop())

function client(options: Partial<PenstockOptions> = {}): Transport {
  return new Transport({ baseUrl: server.url, apiKey: 'sk_test_1', ...options })
}

async function failure(call: Promise<unknown>): Promise<PenstockError> {
  const error: unknown = await call.then(
    () => expect.fail('it should have failed'),
    (reason: unknown) => reason,
  )
  if (error instanceof PenstockError) return error
  throw error
}

const sentKeys = (): unknown[] => server.received.map(({ headers }) => headers['idempotency-key'])

describe('Transport', () => {
  it('refuses what no request can carry', () => {
    const make = (options: Partial<PenstockOptions>) => () => client(options)
    expect(make({ baseUrl: '/v1' })).toThrow(TypeError)
    expect(make({ baseUrl: 'ftp://example.com' })).toThrow(TypeError)
    expect(make({ apiKey: '' })).toThrow(TypeError)
    expect(make({ apiKey: 'sk_test_\n' })).toThrow(TypeError)
    expect(make({ maxAttempts: 0 })).toThrow(RangeError)
    expect(make({ timeoutMs: 2 ** 31 })).toThrow(RangeError)
    expect(make({ totalTimeoutMs: Number.NaN })).toThrow(RangeError)
  })

  it('sends key, method, target, body and headers', async () => {
    server.will({ body: { id: 1 } }, {}, {})
    const transport = client({ baseUrl: `${server.url}/shop/` })
    expect(await transport.post('/v1/a', { b: 'é' }, { idempotencyKey: 'mine', clientSecret: 'cs_1' })).toEqual({
      id: 1,
    })
    await transport.get('/v1/b', {}, { limit: 5, q: 'a&b', status: undefined })
    await transport.delete('/v1/c')
    const [post, get, remove] = server.received
    expect(post).toMatchObject({
      method: 'POST',
      target: '/shop/v1/a',
      body: '{"b":"é"}',
      headers: {
        authorization: 'Bearer sk_test_1',
        'content-type': 'application/json',
        'idempotency-key': 'mine',
        'penstock-client-secret': 'cs_1',
      },
    })
    expect(get).toMatchObject({ method: 'GET', target: '/shop/v1/b?limit=5&q=a%26b', body: '' })
    expect(get?.headers).not.toHaveProperty('idempotency-key')
    expect(remove).toMatchObject({ method: 'DELETE', body: '' })
    expect(remove?.headers['idempotency-key']).toMatch(/^[0-9a-f]{32}$/)
  })

  it('mints a key for each write', async () => {
    server.will({}, {}, {})
    const transport = client()
    await transport.post('/v1/a')
    await transport.patch('/v1/a', {})
    await transport.delete('/v1/a')
    expect(new Set(sentKeys()).size).toBe(3)
  })

  it.each(['', ' ', 'schlüssel', 'a\n', 'x'.repeat(256)])('refuses the key %j before anything is sent', async (key) => {
    await expect(client().post('/v1/a', {}, { idempotencyKey: key })).rejects.toThrow(TypeError)
    expect(server.received).toEqual([])
  })

  const passing: readonly (readonly [string, Reaction])[] = [
    ['a reset', 'reset'],
    ['a body cut off', 'cut'],
    ['overload', problemReaction(503, 'overloaded', true)],
    ['an unknown outcome', problemReaction(504, 'deadline_exceeded', true)],
    ["a proxy's error page", { status: 502, body: '<html>Bad gateway</html>' }],
    ['silence', 'silence'],
  ]
  it.each(passing)('repeats a write after %s, with the same key and bytes', async (_, reaction) => {
    server.will(reaction, { status: 201, body: { id: 'x' } })
    expect(await client({ timeoutMs: 500 }).post('/v1/a', { b: 1 })).toEqual({ id: 'x' })
    const [first, second] = server.received
    expect(first?.headers['idempotency-key']).toMatch(/^[0-9a-f]{32}$/)
    expect(second).toEqual({ ...first, headers: second?.headers })
    expect(second?.headers['idempotency-key']).toBe(first?.headers['idempotency-key'])
  })

  it('does not repeat what the sale refused', async () => {
    server.will(problemReaction(409, 'sold_out', true))
    const error = await failure(client().post('/v1/a'))
    expect(error).toMatchObject({
      code: 'sold_out',
      status: 409,
      retryable: true,
      requestId: 'req_1',
      outcomeUnknown: false,
    })
    expect(server.received).toHaveLength(1)
  })

  it('stops after maxAttempts; that of the call goes before that of the client', async () => {
    const overloaded = problemReaction(503, 'overloaded', true)
    server.will(overloaded, overloaded, overloaded)
    const transport = client({ maxAttempts: 3 })
    expect(await failure(transport.get('/v1/a', { maxAttempts: 1 }))).toMatchObject({ code: 'overloaded' })
    expect(server.received).toHaveLength(1)
    expect(await failure(transport.get('/v1/a', { maxAttempts: 2 }))).toMatchObject({ code: 'overloaded' })
    expect(server.received).toHaveLength(3)
  })

  it('waits as long as Retry-After says, or fails at once when there is no time for it', async () => {
    server.will(problemReaction(503, 'overloaded', true, { 'retry-after': '1' }), {})
    const startMs = performance.now()
    await client().get('/v1/a')
    // Timers may fire a millisecond early.
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(998)

    server.will(problemReaction(429, 'rate_limited', true, { 'retry-after': '60' }))
    expect(await failure(client().get('/v1/a'))).toMatchObject({ code: 'rate_limited', retryAfterMs: 60_000 })
    expect(server.received).toHaveLength(3)
  })

  it('gives a TimeoutError with the key when no answer comes in time', async () => {
    server.will('silence', 'silence')
    const transport = client({ timeoutMs: 50, maxAttempts: 1 })
    const write = await failure(transport.post('/v1/a', {}, { idempotencyKey: 'mine' }))
    expect(write).toBeInstanceOf(TimeoutError)
    expect(write).toMatchObject({ idempotencyKey: 'mine', outcomeUnknown: true })
    expect(write.message).toContain('Idempotency-Key mine')
    const read = await failure(transport.get('/v1/a'))
    expect(read).toBeInstanceOf(TimeoutError)
    expect(read).toMatchObject({ idempotencyKey: null, outcomeUnknown: false })
  })

  it('ends by totalTimeoutMs, attempts and waits together', async () => {
    server.will(...Array<Reaction>(50).fill('silence'))
    const startMs = performance.now()
    const error = await failure(client({ timeoutMs: 60, totalTimeoutMs: 200, maxAttempts: 50 }).get('/v1/a'))
    expect(error).toBeInstanceOf(TimeoutError)
    expect(performance.now() - startMs).toBeLessThan(2_000)
    expect(server.received.length).toBeLessThan(5)

    server.will('silence')
    expect(await failure(client({ totalTimeoutMs: 100 }).get('/v1/a'))).toBeInstanceOf(TimeoutError)
    expect(performance.now() - startMs).toBeLessThan(4_000)
  })

  it('gives a ConnectionError with its cause when nobody listens', async () => {
    const { url } = server
    await server.stop()
    const transport = new Transport({ baseUrl: url, apiKey: 'sk', maxAttempts: 2 })
    const error = await failure(transport.post('/v1/a'))
    expect(error).toBeInstanceOf(ConnectionError)
    expect(error.outcomeUnknown).toBe(true)
    expect(error.idempotencyKey).toMatch(/^[0-9a-f]{32}$/)
    expect(error.cause).toBeInstanceOf(Error)
    server = await TestServer.start()
  })

  it("rejects with the reason of the caller's signal: before, during and between attempts", async () => {
    const transport = client()
    const reason = new Error('gone')
    await expect(transport.get('/v1/a', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(server.received).toHaveLength(0)

    const early = new AbortController()
    const starting = transport.post('/v1/a', {}, { signal: early.signal })
    early.abort(reason)
    await expect(starting).rejects.toBe(reason)
    expect(server.received).toHaveLength(0)

    const during = new AbortController()
    server.will('silence')
    const silent = transport.post('/v1/a', {}, { signal: during.signal })
    await server.untilReceived(1)
    during.abort(reason)
    await expect(silent).rejects.toBe(reason)

    const between = new AbortController()
    const listen = between.signal.addEventListener.bind(between.signal)
    let listeners = 0
    // The first to listen is the attempt, the second the wait after it.
    between.signal.addEventListener = (...args: Parameters<typeof listen>) => {
      listen(...args)
      if (++listeners === 2) queueMicrotask(() => between.abort(reason))
    }
    server.will(problemReaction(503, 'overloaded', true, { 'retry-after': '20' }))
    await expect(transport.post('/v1/a', {}, { signal: between.signal })).rejects.toBe(reason)
    expect(server.received).toHaveLength(2)
  })

  describe('outcomeUnknown', () => {
    const refused = problemReaction(503, 'overloaded', true)
    const cases: readonly (readonly [string, readonly Reaction[], boolean])[] = [
      ['a refusal did nothing', [problemReaction(400, 'invalid_request', false)], false],
      ['overload did nothing', [refused, refused], false],
      ['overload after a lost answer leaves it open', ['reset', refused], true],
      ['and so does a second one', ['reset', refused, refused], true],
      ['a refusal after a lost answer is the outcome', ['reset', problemReaction(409, 'sold_out', true)], false],
      ['504 leaves it open', [problemReaction(504, 'deadline_exceeded', true)], true],
      ['500 leaves it open', [problemReaction(500, 'internal_error', true)], true],
      ["a proxy's page leaves it open", [{ status: 502, body: '' }], true],
      ['so does an answer that is no JSON', [{ status: 200, body: '<html>' }], true],
      ['a redirect is not followed', [{ status: 307, headers: { location: '/elsewhere' } }], true],
    ]
    it.each(cases)('%s', async (_, reactions, expected) => {
      server.will(...reactions)
      const error = await failure(client({ maxAttempts: reactions.length }).post('/v1/a'))
      expect(error.outcomeUnknown).toBe(expected)
      expect(server.received).toHaveLength(reactions.length)
    })

    it('is never so of a read', async () => {
      server.will('reset')
      expect(await failure(client({ maxAttempts: 1 }).get('/v1/a'))).toMatchObject({ outcomeUnknown: false })
    })
  })

  it('quotes an answer that is no problem document', async () => {
    server.will({ status: 418, body: `<html>${'x'.repeat(1_000)}`, headers: { 'request-id': 'req_2' } })
    const error = await failure(client().get('/v1/a'))
    expect(error).toBeInstanceOf(ProblemError)
    expect(error).toMatchObject({ code: 'unexpected_response', status: 418, retryable: false, requestId: 'req_2' })
    expect(error.message).toContain('HTTP 418: "<html>xxx')
    expect(error.message.length).toBeLessThan(300)
  })

  it('asks for the newest commit it has seen, whatever it does', async () => {
    const seq = (value: string): Reaction => ({ headers: { 'penstock-seq': value } })
    server.will(
      {},
      seq('7'),
      seq('5'),
      {},
      problemReaction(409, 'sold_out', true, { 'penstock-seq': '9' }),
      seq('x'),
      {},
    )
    const transport = client()
    await transport.get('/v1/a')
    await transport.post('/v1/a')
    await transport.get('/v1/a')
    await transport.get('/v1/a')
    await failure(transport.post('/v1/a'))
    await transport.get('/v1/a')
    await transport.get('/v1/a')
    const sent = server.received.map(({ headers }) => headers['penstock-min-seq'])
    expect(sent).toEqual([undefined, undefined, '7', '7', '7', '9', '9'])
  })

  it('does not when readYourWrites is off', async () => {
    server.will({ headers: { 'penstock-seq': '7' } }, {})
    const transport = client({ readYourWrites: false })
    await transport.post('/v1/a')
    await transport.get('/v1/a')
    expect(server.received[1]?.headers).not.toHaveProperty('penstock-min-seq')
  })

  it('calls the fetch it was given', async () => {
    const seen: string[] = []
    server.will({})
    const transport = client({
      fetch: (input, init) => {
        seen.push(input instanceof Request ? input.url : input.toString())
        return fetch(input, init)
      },
    })
    await transport.get('/v1/a')
    expect(seen).toEqual([`${server.url}/v1/a`])
  })
})
