import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readEvents } from '@penstock/sdk/drop-events.ts'
import { liveHeartbeatMs, liveIntervalMs } from '@penstock/domain/limits.ts'
import { Box } from '../box.ts'
import { Client } from '../client.ts'
import { expectProblem } from './expect-problem.ts'
import { createDrop, expectStatus, openDrop, poll, readDrop, skuOf, takeHold } from './shop.ts'
import type { WireDrop } from '../wire-types.ts'

describe.each(['uws', 'node'] as const)('live pages on %s', (transport) => {
  let box: Box
  let seller: Client
  beforeAll(async () => {
    box = await Box.start({ transport, httpProcesses: 2 })
    seller = new Client(box.url, box.secretKey)
  })
  afterAll(async () => {
    seller.close()
    await box.stop()
  })

  /** Events of a drop, with the time each came. */
  async function open(id: string, { key = box.publishableKey, query = '' } = {}) {
    const stop = new AbortController()
    const headers = { authorization: `Bearer ${key}`, 'penstock-min-seq': String(seqSeen()) }
    const response = await fetch(`${box.url}/v1/drops/${id}/live${query}`, { headers, signal: stop.signal })
    const { body } = response
    if (body === null) throw new Error('no body')
    const events = readEvents(body)
    const next = async (): Promise<WireDrop | null> => {
      const { value, done } = await events.next()
      return done === true ? null : (JSON.parse(value) as WireDrop)
    }
    return { response, next, stop }
  }

  let lastSeq = 0
  const seqSeen = (): number => lastSeq

  async function openLive(stock: number, fields: object = {}): Promise<WireDrop> {
    const drop = await openDrop(seller, { skus: [{ name: 'A', unit_amount: 1, stock }], ...fields })
    lastSeq = Number((await seller.get(`/v1/drops/${drop.id}`)).headers['penstock-seq'])
    return drop
  }

  it('begin with the whole drop and tell of every sale, as the drop itself', async () => {
    const drop = await openLive(5)
    const { response, next, stop } = await open(drop.id)
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    expect(response.headers.get('cache-control')).toBe('no-store')
    const first = await next()
    expect(first).toMatchObject({ ...drop, server_time: expect.any(Number) as number })
    await takeHold(seller, drop, 2)
    const second = await next()
    expect(second?.skus[0]).toMatchObject({ held: 2, available: 3 })
    const now = await readDrop(seller, drop.id)
    expect({ ...second, server_time: 0 }).toEqual({ ...now, server_time: 0 })
    stop.abort()
  })

  it('tell at most once in their interval, and end on the truth', async () => {
    const drop = await openLive(500)
    const { next, stop } = await open(drop.id)
    await next()
    const startMs = performance.now()
    await Promise.all(Array.from({ length: 200 }, () => takeHold(seller, drop)))
    let events = 0
    for (let held = 0; held < 200; events++) held = skuOf((await next()) ?? drop).held
    // One may come at once, and the last one after the last sale.
    expect(events).toBeLessThanOrEqual((performance.now() - startMs) / liveIntervalMs + 2)
    stop.abort()
  })

  it('tell of what the clock alone changes', async () => {
    const drop = await openLive(1, { starts_at: Math.floor(Date.now() / 1_000) + 2 })
    const { next, stop } = await open(drop.id)
    expect((await next())?.status).toBe('scheduled')
    expect((await next())?.status).toBe('live')
    stop.abort()
  })

  it('end after the events that were asked for', async () => {
    const drop = await openLive(1)
    const { next } = await open(drop.id, { query: '?events=1' })
    expect((await next())?.id).toBe(drop.id)
    expect(await next()).toBeNull()
  })

  it('end when their key is revoked, through any process', async () => {
    const drop = await openLive(1)
    const made = await seller.post<{ id: string; secret: string }>('/v1/api_keys', { kind: 'publishable' })
    const { id, secret } = expectStatus(made, 201).body
    lastSeq = Number(made.headers['penstock-seq'])
    const streams = await Promise.all(Array.from({ length: 4 }, () => open(drop.id, { key: secret })))
    for (const { next } of streams) expect((await next())?.id).toBe(drop.id)
    const kept = await open(drop.id)
    await kept.next()
    const revokedMs = performance.now()
    expectStatus(await seller.post(`/v1/api_keys/${id}/revoke`), 200)
    expect(await Promise.all(streams.map(({ next }) => next()))).toEqual([null, null, null, null])
    expect(performance.now() - revokedMs).toBeLessThan(liveHeartbeatMs / 2)
    await takeHold(seller, drop)
    expect(skuOf((await kept.next()) ?? drop).held).toBe(1)
    kept.stop.abort()
  })

  it('are refused to whom the drop is not shown', async () => {
    const draft = await createDrop(seller)
    const browser = new Client(box.url, box.publishableKey)
    const anybody = new Client(box.url, '')
    const path = `/v1/drops/${draft.id}/live`
    expectProblem(await browser.get(path), 404, 'not_found', 'id')
    expectProblem(await anybody.get(path), 401, 'unauthorized', null)
    expectProblem(await seller.get(`${path}?events=0`), 400, 'invalid_request', 'events')
    expectProblem(await seller.get(`${path}?since=1`), 400, 'invalid_request', 'since')
    expectStatus(await seller.get(`${path}?events=1`), 200)
    for (const client of [browser, anybody]) client.close()
  })

  it('of a client that reads nothing cost the others nothing', async () => {
    const skus = Array.from({ length: 500 }, (_, index) => ({ name: `Size ${index}`, unit_amount: 1, stock: 100 }))
    const drop = await openLive(1, { skus })
    const { hostname, port } = new URL(box.url)
    const deaf = connect(Number(port), hostname)
    deaf.pause()
    deaf.on('error', () => undefined)
    const key = `Authorization: Bearer ${box.publishableKey}`
    deaf.write(`GET /v1/drops/${drop.id}/live HTTP/1.1\r\nHost: x\r\n${key}\r\n\r\n`)
    const { next, stop } = await open(drop.id)
    await next()
    for (let sold = 1; sold <= 5; sold++) {
      await takeHold(seller, drop)
      let held = 0
      while (held < sold) held = skuOf((await next()) ?? drop).held
    }
    deaf.destroy()
    stop.abort()
  })

  it('end when the box stops, and do not hold it up', async () => {
    const other = await Box.start({ transport, httpProcesses: 1 })
    const client = new Client(other.url, other.secretKey)
    const drop = await openDrop(client)
    const headers = { authorization: `Bearer ${other.publishableKey}` }
    const response = await fetch(`${other.url}/v1/drops/${drop.id}/live`, { headers })
    const text = response.text()
    await poll('the stream is open', 5_000, () => response.ok)
    client.close()
    const startMs = performance.now()
    await other.stop()
    expect(performance.now() - startMs).toBeLessThan(5_000)
    expect(await text).toContain(drop.id)
  })
})
