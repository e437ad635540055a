import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { idNumber } from '@penstock/domain/id-number.ts'
import { Box } from '../box.ts'
import { Client } from '../client.ts'
import {
  expectNothingWritten,
  expectStatus,
  footprint,
  holdBody,
  newEmail,
  openDrop,
  pay,
  seqOf,
  skuOf,
  takeHold,
} from './shop.ts'
import type { Answer, Headers } from '../client.ts'
import type { WireDrop, WireHold, WireProblem } from '../wire-types.ts'

const oneUnit = { starts_at: 1_700_000_000, skus: [{ name: 'One size', unit_amount: 4_999, stock: 1 }] }
const withKey = (): Headers => ({ 'idempotency-key': randomUUID() })
/** Of a commit that no process has seen. */
const forWriter: Headers = { 'penstock-min-seq': '1000000' }

/** The whole answer but for what is another each time. */
function comparable({ status, headers, text, body }: Answer<WireProblem>): unknown {
  const { 'request-id': requestId, date: _, ...rest } = headers
  expect(body.request_id).toBe(requestId)
  return { status, headers: rest, text: text.replace(body.request_id ?? '', 'req') }
}

/** Requests that name an unseen commit are the writer's: they say what the others have to say. */
describe.each(['uws', 'node'] as const)('a sold-out drop on %s', (transport) => {
  let box: Box
  let seller: Client
  let browser: Client
  let old: Client

  beforeAll(async () => {
    box = await Box.start({ transport, httpProcesses: 2 })
    const session = { seq: 0 }
    seller = new Client(box.url, box.secretKey, { session, connections: 0 })
    browser = new Client(box.url, box.publishableKey, { session, connections: 0 })
    old = new Client(box.url, '', { connections: 0 })
  })

  afterAll(async () => {
    for (const client of [seller, browser, old]) client.close()
    await box.stop()
  })

  const ask = (drop: WireDrop, headers: Headers = {}): Promise<Answer<WireProblem>> =>
    browser.post<WireProblem>('/v1/holds', holdBody(drop), headers)

  /** Answers while the writer is stopped: it can have no part in them. */
  async function withoutWriter<Value>(act: () => Promise<Value>): Promise<Value> {
    // Both processes have heard of every commit by then: a new connection for each request, that waits for the last.
    await Promise.all(Array.from({ length: 24 }, async () => expectStatus(await seller.get('/v1/drops'), 200)))
    const pid = box.pids.writer ?? expect.fail('there is no writer')
    process.kill(pid, 'SIGSTOP')
    try {
      return await act()
    } finally {
      process.kill(pid, 'SIGCONT')
    }
  }

  it.each([
    ['all held', false],
    ['all paid', true],
  ])('is refused without the writer, byte for byte as by the writer: %s', async (_, isPaid) => {
    const drop = await openDrop(seller, oneUnit)
    const hold = await takeHold(browser, drop)
    if (isPaid) expectStatus(await pay(seller, hold), 201)
    const before = footprint(box.databasePath)
    const byWriter = expectStatus(await ask(drop, forWriter), 409)
    const detail = isPaid ? 'This drop is sold out.' : `${skuOf(drop).id} has 0 units left, 1 wanted.`
    expect(byWriter.body).toMatchObject({ code: 'sold_out', detail })
    const own = await withoutWriter(() =>
      Promise.all(Array.from({ length: 32 }, (__, at) => ask(drop, at % 2 === 0 ? {} : withKey()))),
    )
    for (const answer of own) expect(comparable(answer)).toEqual(comparable(byWriter))
    expect(new Set(own.map(({ body }) => body.request_id)).size).toBe(own.length)
    expectNothingWritten(box.databasePath, before)
  })

  it('is refused without the writer by the old API, too', async () => {
    const drop = await openDrop(seller, oneUnit)
    await takeHold(browser, drop)
    const purchase = { quantity: 1, name: 'Ada', phone: '0901234567', email: newEmail() }
    const answer = await withoutWriter(() => old.post(`/api/drops/${idNumber(drop.id)}/purchase`, purchase))
    expect(expectStatus(answer, 400).body).toEqual({ error: `${skuOf(drop).id} has 0 units left, 1 wanted.` })
  })

  it('replays the hold that took the last unit', async () => {
    const drop = await openDrop(seller, oneUnit)
    const [body, key] = [holdBody(drop), withKey()]
    const first = expectStatus(await browser.post<WireHold>('/v1/holds', body, key), 201)
    expectStatus(await ask(drop), 409)
    for (let count = 0; count < 8; count++) {
      const again = expectStatus(await browser.post<WireHold>('/v1/holds', body, key), 201)
      expect(again.headers['idempotent-replayed']).toBe('true')
      expect(again.body).toEqual(first.body)
    }
  })

  it('replays a hold that has just been answered, whichever process is asked', async () => {
    for (let count = 0; count < 20; count++) {
      const drop = await openDrop(seller, oneUnit)
      const [body, key] = [holdBody(drop), withKey()]
      const first = expectStatus(await browser.post<WireHold>('/v1/holds', body, key), 201)
      // As somebody who has not heard of the first answer.
      const unaware = { ...key, 'penstock-min-seq': '' }
      const again = await Promise.all(
        Array.from({ length: 8 }, () => browser.post<WireHold>('/v1/holds', body, unaware)),
      )
      for (const answer of again) expect(expectStatus(answer, 201).body.id).toBe(first.body.id)
    }
  })

  it('says that a key was used for another request, not that the drop is sold out', async () => {
    const drop = await openDrop(seller, oneUnit)
    const key = withKey()
    expectStatus(await browser.post<WireHold>('/v1/holds', holdBody(drop), key), 201)
    expect(expectStatus(await ask(drop, key), 422).body).toMatchObject({ code: 'key_reused' })
  })

  it('sells a unit that came back to whoever knows the commit, on every process', async () => {
    const drop = await openDrop(seller, oneUnit)
    for (let count = 0; count < 16; count++) {
      const hold = await takeHold(browser, drop)
      expectStatus(await ask(drop), 409)
      const released = expectStatus(
        await browser.delete(`/v1/holds/${hold.id}`, { 'penstock-client-secret': hold.client_secret }),
        200,
      )
      const sent = { 'penstock-min-seq': String(seqOf(released)) }
      const next = expectStatus(await browser.post<WireHold>('/v1/holds', holdBody(drop), sent), 201)
      expect(seqOf(next)).toBeGreaterThan(seqOf(released))
      expectStatus(await seller.delete(`/v1/holds/${next.body.id}`), 200)
    }
  })

  it('leaves a drop that has not begun to the writer', async () => {
    const drop = await openDrop(seller, { ...oneUnit, starts_at: Math.floor(Date.now() / 1_000) + 3_600 })
    expect((await ask(drop)).body).toMatchObject({ code: 'not_live', detail: 'This drop is scheduled.' })
  })
})
