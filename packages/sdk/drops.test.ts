import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Penstock } from './penstock.ts'
import { problemReaction, TestServer } from './test-server.ts'
import type { PenstockError } from './errors.ts'
import type { Reaction } from './test-server.ts'

let server: TestServer
let penstock: Penstock

beforeEach(async () => {
  server = await TestServer.start()
  penstock = new Penstock({ baseUrl: server.url, apiKey: 'pk_test_1', maxAttempts: 1 })
})

afterEach(() => server.stop())

/** A server from before there were live routes. */
const noRoute = problemReaction(404, 'route_not_found', false)

/** A stream of events that ends. */
const events = (...texts: readonly string[]): Reaction => ({
  body: texts.join(''),
  headers: { 'content-type': 'text/event-stream' },
})
const event = (available: number, serverTime = 1): string =>
  `id: 1\nevent: drop\ndata: ${JSON.stringify({ id: 'drop_1', available, server_time: serverTime })}\n\n`

const drop = (available: number, etag: string): Reaction => ({ body: { id: 'drop_1', available }, headers: { etag } })

/** Subscribes until `count` requests came. */
async function watch(count: number): Promise<{ drops: unknown[]; errors: string[] }> {
  const stop = new AbortController()
  const drops: unknown[] = []
  const errors: string[] = []
  const over = penstock.drops.subscribe(
    'drop_1',
    { onDrop: (seen) => drops.push(seen), onError: (error: PenstockError) => errors.push(error.name) },
    { signal: stop.signal, intervalMs: 100 },
  )
  await Promise.race([over, server.untilReceived(count)])
  stop.abort()
  await over
  return { drops, errors }
}

describe('drops.subscribe, live', () => {
  it('tells of every event, comes again when they end, and tells nothing twice', async () => {
    server.will(events(event(5), ':\n\n', event(4)), events(event(4, 9), event(3)), 'silence')
    const { drops, errors } = await watch(3)
    expect(drops).toMatchObject([{ available: 5 }, { available: 4 }, { available: 3 }])
    expect(errors).toEqual([])
    expect(server.received.map(({ target }) => target)).toEqual(
      Array.from({ length: 3 }, () => '/v1/drops/drop_1/live'),
    )
    expect(server.received[0]?.headers).toMatchObject({
      accept: 'text/event-stream',
      authorization: 'Bearer pk_test_1',
    })
  })

  it('reads while it cannot watch, and watches again when it can', async () => {
    server.will(problemReaction(503, 'overloaded', true), drop(5, 'W/"a"'), events(event(4)), 'silence')
    const { drops } = await watch(4)
    expect(drops).toMatchObject([{ available: 5 }, { available: 4 }])
    expect(server.received.map(({ target }) => target.endsWith('/live'))).toEqual([true, false, true, true])
  })

  it('polls for good where the way lets no events through', async () => {
    server.will(
      { body: '<html>', headers: { 'content-type': 'text/html' } },
      drop(5, 'W/"a"'),
      drop(4, 'W/"b"'),
      'silence',
    )
    expect((await watch(4)).drops).toMatchObject([{ available: 5 }, { available: 4 }])
    expect(server.received.map(({ target }) => target.endsWith('/live'))).toEqual([true, false, false, false])
  })

  it('rejects with what a handler throws', async () => {
    const mistake = new Error('mine')
    server.will(events(event(5)))
    const onDrop = (): never => {
      throw mistake
    }
    const { signal } = new AbortController()
    await expect(penstock.drops.subscribe('drop_1', { onDrop }, { signal })).rejects.toBe(mistake)
  })
})

describe('drops.subscribe, polling', () => {
  it('tells of the drop at first and after each change, asking with the tag it has', async () => {
    server.will(
      noRoute,
      drop(5, 'W/"a"'),
      { status: 304, headers: { etag: 'W/"a"' } },
      drop(4, 'W/"b"'),
      { status: 304 },
      'silence',
    )
    const { drops, errors } = await watch(6)
    expect(drops).toEqual([
      { id: 'drop_1', available: 5 },
      { id: 'drop_1', available: 4 },
    ])
    expect(errors).toEqual([])
    const tags = server.received.slice(1, 5).map(({ headers }) => headers['if-none-match'])
    expect(tags).toEqual([undefined, 'W/"a"', 'W/"a"', 'W/"b"'])
    expect(server.received[1]).toMatchObject({ method: 'GET', target: '/v1/drops/drop_1' })
  })

  it('goes on after errors that may pass', async () => {
    server.will(noRoute, 'reset', problemReaction(503, 'not_ready', true), drop(5, 'W/"a"'), 'silence')
    expect(await watch(5)).toEqual({
      drops: [{ id: 'drop_1', available: 5 }],
      errors: ['ConnectionError', 'ProblemError'],
    })
  })

  it('rejects with an error that will not', async () => {
    server.will(noRoute, problemReaction(404, 'not_found', false))
    await expect(watch(9)).rejects.toMatchObject({ code: 'not_found' })
  })

  it('rejects with what a handler throws', async () => {
    const mistake = new Error('mine')
    const onDrop = (): never => {
      throw mistake
    }
    server.will(noRoute, drop(5, 'W/"a"'))
    const { signal } = new AbortController()
    await expect(penstock.drops.subscribe('drop_1', { onDrop }, { signal })).rejects.toBe(mistake)
  })

  it('does nothing when it is over before it began, and refuses an interval below 100 ms', async () => {
    await penstock.drops.subscribe('drop_1', { onDrop: () => expect.unreachable() }, { signal: AbortSignal.abort() })
    const { signal } = new AbortController()
    await expect(
      penstock.drops.subscribe('drop_1', { onDrop: () => expect.unreachable() }, { signal, intervalMs: 99 }),
    ).rejects.toThrow(RangeError)
    expect(server.received).toEqual([])
  })
})
