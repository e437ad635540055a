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

describe('drops.subscribe', () => {
  it('tells of the drop at first and after each change, asking with the tag it has', async () => {
    server.will(
      drop(5, 'W/"a"'),
      { status: 304, headers: { etag: 'W/"a"' } },
      drop(4, 'W/"b"'),
      { status: 304 },
      'silence',
    )
    const { drops, errors } = await watch(5)
    expect(drops).toEqual([
      { id: 'drop_1', available: 5 },
      { id: 'drop_1', available: 4 },
    ])
    expect(errors).toEqual([])
    const tags = server.received.slice(0, 4).map(({ headers }) => headers['if-none-match'])
    expect(tags).toEqual([undefined, 'W/"a"', 'W/"a"', 'W/"b"'])
    expect(server.received[0]).toMatchObject({ method: 'GET', target: '/v1/drops/drop_1' })
  })

  it('goes on after errors that may pass', async () => {
    server.will('reset', problemReaction(503, 'not_ready', true), drop(5, 'W/"a"'), 'silence')
    expect(await watch(4)).toEqual({
      drops: [{ id: 'drop_1', available: 5 }],
      errors: ['ConnectionError', 'ProblemError'],
    })
  })

  it('rejects with an error that will not', async () => {
    server.will(problemReaction(404, 'not_found', false))
    await expect(watch(9)).rejects.toMatchObject({ code: 'not_found' })
  })

  it('rejects with what a handler throws', async () => {
    const mistake = new Error('mine')
    const onDrop = (): never => {
      throw mistake
    }
    server.will(drop(5, 'W/"a"'))
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
