import { statSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Webhook } from 'standardwebhooks'
import { verifyWebhook } from '@penstock/sdk/index.ts'
import { auditDatabase } from '@penstock/store-sqlite/audit.ts'
import { Box } from '../box.ts'
import { Client } from '../client.ts'
import { Receiver } from '../receiver.ts'
import { expectStatus, openDrop, pay, poll, present, takeHold } from './shop.ts'
import type { Received } from '../receiver.ts'
import type { WireDrop, WireList, WirePayment, WireWebhookDelivery, WireWebhookEndpoint } from '../wire-types.ts'

/** Webhooks from a box with a courier to receivers that are real servers. Retries come after 50 ms, 100 ms and 60 s. */

let box: Box
let seller: Client
let drop: WireDrop
const receivers: Receiver[] = []
const endpoints: string[] = []

beforeAll(async () => {
  box = await Box.start({
    httpProcesses: 1,
    environment: {
      PENSTOCK_WEBHOOK_ALLOW_PRIVATE: '1',
      PENSTOCK_WEBHOOK_TIMEOUT: '1',
      PENSTOCK_WEBHOOK_RETRY_DELAYS: '0.05,0.1,60',
    },
  })
  seller = new Client(box.url, box.secretKey)
  drop = await openDrop(seller, { skus: [{ name: 'One size', unit_amount: 4_999, stock: 100_000 }] })
}, 30_000)

afterEach(async () => {
  for (const id of endpoints.splice(0)) await seller.delete(`/v1/webhook_endpoints/${id}`)
  for (const receiver of receivers.splice(0)) receiver.close()
})

afterAll(async () => {
  const path = box.databasePath
  seller.close()
  expect(auditDatabase(path)).toEqual([])
  await box.stop()
})

type NewEndpoint = WireWebhookEndpoint & { readonly secret: string }

async function openReceiver(reply?: Receiver['reply']): Promise<Receiver> {
  const receiver = await Receiver.open()
  receivers.push(receiver)
  if (reply !== undefined) receiver.reply = reply
  return receiver
}

async function subscribe(receiver: Receiver, fields: object = {}): Promise<NewEndpoint> {
  const body = { url: receiver.url, events: ['payment.captured', 'order.fulfilled', 'order.cancelled'], ...fields }
  const { body: endpoint } = expectStatus(await seller.post<NewEndpoint>('/v1/webhook_endpoints', body), 201)
  endpoints.push(endpoint.id)
  return endpoint
}

async function sell(): Promise<WirePayment> {
  return expectStatus(await pay(seller, await takeHold(seller, drop)), 201).body
}

function deliveriesOf(endpoint: { readonly id: string }, filter = ''): Promise<readonly WireWebhookDelivery[]> {
  return seller
    .get<WireList<WireWebhookDelivery>>(`/v1/webhook_deliveries?limit=100&endpoint=${endpoint.id}${filter}`)
    .then((answer) => expectStatus(answer, 200).body.data)
}

async function readEndpoint({ id }: { readonly id: string }): Promise<WireWebhookEndpoint> {
  return expectStatus(await seller.get<WireWebhookEndpoint>(`/v1/webhook_endpoints/${id}`), 200).body
}

function arrived(receiver: Receiver, count: number, deadlineMs = 10_000): Promise<unknown> {
  return poll(`${count} webhooks`, deadlineMs, () => receiver.received.length >= count)
}

/** As the reference library says. Throws when it is not signed with this secret. */
function verify(secret: string, { body, headers }: Received): void {
  new Webhook(secret).verify(body, headers as Record<string, string>)
}

/** Without repeats: what a receiver that remembers webhook-id acts on. */
function idsOf(received: readonly Received[]): string[] {
  return [...new Set(received.map(({ headers }) => String(headers['webhook-id'])))]
}

describe('a webhook', () => {
  it('has the object, is signed as Standard Webhooks says, and is verified by our own client', async () => {
    const receiver = await openReceiver()
    const endpoint = await subscribe(receiver)
    expect(endpoint.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
    const payment = await sell()
    await arrived(receiver, 1)
    const [received] = receiver.received
    const webhook = present(received, 'the webhook')
    verify(endpoint.secret, webhook)
    expect(() => verify(`whsec_${'A'.repeat(43)}=`, webhook)).toThrow('No matching signature')
    const { event, headers } = webhook
    expect(event).toEqual({
      id: expect.stringMatching(/^evt_\d+$/),
      type: 'payment.captured',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      data: expectStatus(await seller.get(`/v1/payments/${payment.id}`), 200).body,
    })
    expect(headers['webhook-id']).toBe(`${event.id}_${endpoint.id}`)
    expect(headers['content-type']).toBe('application/json')
    expect(await verifyWebhook(webhook.body, headers, endpoint.secret)).toEqual(event)
  })

  it('is told in the list of deliveries, with its attempts', async () => {
    const receiver = await openReceiver()
    const endpoint = await subscribe(receiver)
    await sell()
    const [delivery] = await poll('the delivery', 10_000, async () => {
      const found = await deliveriesOf(endpoint, '&status=succeeded')
      return found.length === 1 && found
    })
    const { body } = expectStatus(await seller.get(`/v1/webhook_deliveries/${delivery?.id}`), 200)
    expect(body).toEqual(delivery)
    expect(delivery).toMatchObject({
      object: 'webhook_delivery',
      endpoint: endpoint.id,
      type: 'payment.captured',
      webhook_id: receiver.received[0]?.headers['webhook-id'],
      failures: 0,
      next_attempt_at: null,
      attempts: [{ status: 200, fault: null }],
    })
  })

  it('goes to those who asked for its type, to `*` all of them, and not to a disabled endpoint', async () => {
    const [picky, all, off] = [await openReceiver(), await openReceiver(), await openReceiver()]
    await subscribe(picky, { events: ['order.fulfilled'] })
    await subscribe(all, { events: ['*'] })
    const disabled = await subscribe(off)
    expectStatus(await seller.patch(`/v1/webhook_endpoints/${disabled.id}`, { status: 'disabled' }), 200)
    const { order } = await sell()
    expectStatus(await seller.post(`/v1/orders/${order}/fulfil`), 200)
    await poll('the fulfilment', 10_000, () => picky.received.length > 0 && all.of('order.fulfilled').length > 0)
    expect(picky.received.map(({ event }) => event.type)).toEqual(['order.fulfilled'])
    expect(picky.received[0]?.event.data).toMatchObject({ id: order, object: 'order', status: 'fulfilled' })
    expect(all.received.map(({ event }) => event.type)).toEqual(
      expect.arrayContaining(['webhook_endpoint.created', 'payment.captured', 'order.fulfilled']),
    )
    expect(off.received).toEqual([])
    // Enabled again, it gets what it has missed.
    expectStatus(await seller.patch(`/v1/webhook_endpoints/${disabled.id}`, { status: 'enabled' }), 200)
    await arrived(off, 2)
    expect(off.received.map(({ event }) => event.type)).toEqual(['payment.captured', 'order.fulfilled'])
  })
})

describe('a receiver that fails', () => {
  it.each([
    ['a 500', () => ({ status: 500 }), { status: 500, fault: 'status' }],
    [
      'a redirect, which is not followed',
      () => ({ status: 307, headers: { location: '/other' } }),
      { status: 307, fault: 'redirect' },
    ],
    ['no answer', () => null, { status: null, fault: 'timeout' }],
  ])(
    'with %s is tried again with the same id and a fresh time, then left for its next time',
    async (_, reply, attempt) => {
      const receiver = await openReceiver(reply)
      const endpoint = await subscribe(receiver)
      await sell()
      const [delivery] = await poll('three attempts', 15_000, async () => {
        const found = await deliveriesOf(endpoint)
        return found[0]?.attempts.length === 3 && found
      })
      expect(delivery).toMatchObject({ status: 'pending', failures: 3, attempts: [attempt, attempt, attempt] })
      expect(delivery?.next_attempt_at).toBeGreaterThan(Date.now() / 1_000 + 30)
      expect(idsOf(receiver.received)).toHaveLength(1)
      expect(receiver.received.map(({ path }) => path)).toEqual(['/hook', '/hook', '/hook'])
      for (const received of receiver.received) verify(endpoint.secret, received)
      expect((await readEndpoint(endpoint)).failing_since).not.toBeNull()
    },
    20_000,
  )

  it('because nobody listens is a delivery that waits', async () => {
    const receiver = await openReceiver()
    const endpoint = await subscribe(receiver)
    receiver.close()
    await sell()
    const [delivery] = await poll('three attempts', 15_000, async () => {
      const found = await deliveriesOf(endpoint)
      return found[0]?.attempts.length === 3 && found
    })
    expect(delivery?.attempts[0]).toMatchObject({ status: null, fault: 'connection' })
  })

  it('with 410 is disabled, which is an event', async () => {
    const [gone, watcher] = [await openReceiver(() => ({ status: 410 })), await openReceiver()]
    await subscribe(watcher, { events: ['webhook_endpoint.disabled'] })
    const endpoint = await subscribe(gone)
    await sell()
    await arrived(watcher, 1)
    expect(watcher.received[0]?.event.data).toMatchObject({
      id: endpoint.id,
      status: 'disabled',
      disabled_reason: 'gone',
    })
    expect(await readEndpoint(endpoint)).toMatchObject({ status: 'disabled', disabled_reason: 'gone' })
    await sell()
    expect(gone.received).toHaveLength(1)
    expect(await deliveriesOf(endpoint)).toMatchObject([{ status: 'failed' }])
  })

  it.each([429, 503])('with %i is left alone for as long as it asks', async (status) => {
    const receiver = await openReceiver(() =>
      receiver.received.length === 1 ? { status, headers: { 'retry-after': '1' } } : { status: 200 },
    )
    const endpoint = await subscribe(receiver)
    await sell()
    await arrived(receiver, 1)
    await sell()
    const [delivery] = await poll('both deliveries', 10_000, async () => {
      const found = await deliveriesOf(endpoint, '&status=succeeded')
      return found.length === 2 && found.toReversed()
    })
    const [first, second] = present(delivery, 'the first delivery').attempts
    // In whole seconds: two that are a second apart may show as one and the same only if they are not.
    expect(present(second, 'the retry').created - present(first, 'the attempt').created).toBeGreaterThanOrEqual(1)
    expect(receiver.received).toHaveLength(3)
  })

  it('for the whole schedule of a delivery is disabled, which is an event', async () => {
    const own = await Box.start({
      httpProcesses: 1,
      environment: { PENSTOCK_WEBHOOK_ALLOW_PRIVATE: '1', PENSTOCK_WEBHOOK_RETRY_DELAYS: '0.02,0.02' },
    })
    const client = new Client(own.url, own.secretKey)
    try {
      const [dead, watcher] = [await openReceiver(() => ({ status: 500 })), await openReceiver()]
      const make = (receiver: Receiver, events: string[]) =>
        client.post<NewEndpoint>('/v1/webhook_endpoints', { url: receiver.url, events })
      expectStatus(await make(watcher, ['webhook_endpoint.disabled']), 201)
      const { id } = expectStatus(await make(dead, ['drop.created']), 201).body
      await openDrop(client)
      await arrived(watcher, 1)
      expect(watcher.received[0]?.event.data).toMatchObject({ id, status: 'disabled', disabled_reason: 'failing' })
      expect(dead.received).toHaveLength(3)
      const list = await client.get<WireList<WireWebhookDelivery>>('/v1/webhook_deliveries?status=failed')
      expect(list.body.data).toMatchObject([{ endpoint: id, failures: 3 }])
    } finally {
      client.close()
      await own.stop()
    }
  }, 30_000)
})

describe('order and independence', () => {
  it('one dead and one slow receiver do not keep a good one waiting', async () => {
    let release = (): void => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    const [good, dead, slow] = [
      await openReceiver(),
      await openReceiver(() => null),
      await openReceiver(() => held.then(() => ({ status: 200 }))),
    ]
    for (const receiver of [dead, slow, good]) await subscribe(receiver, { events: ['payment.captured'] })
    for (let index = 0; index < 40; index++) await sell()
    // More than the dead one has requests at once, within less than its deadline.
    await arrived(good, 40, 10_000)
    expect(idsOf(good.received)).toHaveLength(40)
    release()
  }, 20_000)

  it('while an event of an order is tried again, later ones of this order wait and others go on', async () => {
    let isUp = false
    let stuck = ''
    const receiver = await openReceiver(({ event }) => {
      if (stuck === '') stuck = event.data.id
      return { status: isUp || event.data.id !== stuck ? 200 : 500 }
    })
    const endpoint = await subscribe(receiver)
    const first = await sell()
    await poll('the first to fail', 10_000, () => receiver.received.length >= 1)
    expectStatus(await seller.post(`/v1/orders/${first.order}/fulfil`), 200)
    const second = await sell()
    expectStatus(await seller.post(`/v1/orders/${second.order}/fulfil`), 200)
    await poll('the other order', 10_000, () => receiver.of('order.fulfilled').length === 1)
    expect(receiver.of('order.fulfilled')[0]?.event.data.id).toBe(second.order)
    const parked = await poll('the parked delivery', 10_000, async () =>
      (await deliveriesOf(endpoint, '&status=pending')).find(({ type }) => type === 'order.fulfilled'),
    )
    expect(parked).toMatchObject({ failures: 0, next_attempt_at: null, attempts: [] })
    // Its next time is a minute away: the seller does not wait for it.
    await poll('three failures', 10_000, async () =>
      (await deliveriesOf(endpoint, '&status=pending')).some(({ failures }) => failures === 3),
    )
    isUp = true
    const head = present(
      (await deliveriesOf(endpoint, '&status=pending')).find(({ failures }) => failures === 3),
      'the delivery that failed',
    )
    const retried = expectStatus(
      await seller.post<WireWebhookDelivery>(`/v1/webhook_deliveries/${head.id}/retry`),
      200,
    ).body
    expect(retried).toMatchObject({ id: head.id, status: 'pending', failures: 0 })
    await poll('the parked one', 10_000, () => receiver.of('order.fulfilled').length === 2)
    const ofFirst = receiver.received.filter(({ event }) => [first.id, first.order].includes(event.data.id))
    const types = ofFirst.map(({ event }) => event.type)
    expect(types.lastIndexOf('payment.captured')).toBeLessThan(types.indexOf('order.fulfilled'))
    await poll('all to be done', 10_000, async () => (await deliveriesOf(endpoint, '&status=pending')).length === 0)
  }, 20_000)
})

describe('kill -9 of the courier', () => {
  it('loses nothing and keeps the order of every order, beside a dead and a slow receiver', async () => {
    const [good, dead, slow] = [
      await openReceiver(),
      await openReceiver(() => null),
      await openReceiver(() => new Promise((resolve) => setTimeout(() => resolve({ status: 200 }), 20))),
    ]
    const flaky = new Map<string, number>()
    good.reply = ({ event, headers }) => {
      const id = String(headers['webhook-id'])
      flaky.set(id, (flaky.get(id) ?? 0) + 1)
      return { status: event.data.id.endsWith('0') && flaky.get(id) === 1 ? 500 : 200 }
    }
    const [goodEndpoint] = [await subscribe(good), await subscribe(dead), await subscribe(slow)]
    const orders: string[] = []
    for (let round = 0; round < 4; round++) {
      const seen = good.received.length
      const made = Array.from({ length: 15 }, async () => {
        const { order } = await sell()
        orders.push(present(order, 'the order'))
        expectStatus(await seller.post(`/v1/orders/${order}/fulfil`), 200)
      })
      await poll('some webhooks', 10_000, () => good.received.length > seen + round * 3)
      await box.killCourier()
      await Promise.all(made)
    }
    for (const receiver of [good, slow]) {
      await poll('everything', 20_000, () => idsOf(receiver.received).length >= orders.length * 2)
      const types = new Map<string, string[]>()
      for (const { event } of receiver.received) {
        const order = event.type === 'payment.captured' ? (event.data as unknown as WirePayment).order : event.data.id
        types.set(String(order), [...(types.get(String(order)) ?? []), event.type])
      }
      expect(types.size).toBe(orders.length)
      for (const order of orders) {
        const told = types.get(order) ?? []
        expect(told).toContain('order.fulfilled')
        expect(told.lastIndexOf('payment.captured')).toBeLessThan(told.indexOf('order.fulfilled'))
      }
    }
    await poll('all to be done', 10_000, async () => (await deliveriesOf(goodEndpoint, '&status=pending')).length === 0)
    for (const received of good.received) verify(goodEndpoint.secret, received)
  }, 60_000)

  it('a courier that is stopped has what it delivered noted', async () => {
    const receiver = await openReceiver()
    const endpoint = await subscribe(receiver)
    await sell()
    await arrived(receiver, 1)
    process.kill(present(box.pids.courier, 'the courier'), 'SIGTERM')
    await poll('the delivery', 10_000, async () => (await deliveriesOf(endpoint, '&status=succeeded')).length === 1)
    await sell()
    await arrived(receiver, 2)
    expect(receiver.received).toHaveLength(2)
  })
})

describe('secrets', () => {
  it('rotate: old and new sign together for the overlap, then only the new one', async () => {
    const receiver = await openReceiver()
    const endpoint = await subscribe(receiver)
    const rotate = async (overlap: number): Promise<string> => {
      const answer = await seller.post<NewEndpoint>(`/v1/webhook_endpoints/${endpoint.id}/rotate_secret`, { overlap })
      return expectStatus(answer, 200).body.secret
    }
    const second = await rotate(3_600)
    await sell()
    await arrived(receiver, 1)
    for (const secret of [endpoint.secret, second]) verify(secret, present(receiver.received[0], 'the first'))
    expect(String(receiver.received[0]?.headers['webhook-signature']).split(' ')).toHaveLength(2)
    const third = await rotate(0)
    await sell()
    await arrived(receiver, 2)
    const latest = present(receiver.received[1], 'the second')
    verify(third, latest)
    for (const secret of [endpoint.secret, second])
      expect(() => verify(secret, latest)).toThrow('No matching signature')
  })

  it('are shown once: not to a replay, not in a list, an event or an export; and the database is for its user only', async () => {
    const receiver = await openReceiver()
    await subscribe(receiver, { events: ['*'] })
    const body = { url: receiver.url, events: ['*'] }
    const headers = { 'idempotency-key': 'once' }
    const made = expectStatus(await seller.post<NewEndpoint>('/v1/webhook_endpoints', body, headers), 201)
    endpoints.push(made.body.id)
    const again = expectStatus(await seller.post<NewEndpoint>('/v1/webhook_endpoints', body, headers), 201)
    const { secret, ...rest } = made.body
    expect(again.body).toEqual(rest)
    const shown = await Promise.all(
      [
        '/v1/webhook_endpoints',
        `/v1/webhook_endpoints/${made.body.id}`,
        '/v1/exports/webhook_deliveries?format=ndjson',
      ].map((path) => seller.get(path)),
    )
    await poll('the event', 10_000, () => receiver.of('webhook_endpoint.created').length > 0)
    for (const text of [...shown.map((answer) => answer.text), ...receiver.received.map((one) => one.body)]) {
      expect(text).not.toContain(secret)
    }
    expect(statSync(box.databasePath).mode & 0o777).toBe(0o600)
  })
})

describe('replay', () => {
  it('sends a range of events again, with the ids they had', async () => {
    const receiver = await openReceiver()
    const endpoint = await subscribe(receiver)
    for (let index = 0; index < 5; index++) await sell()
    await arrived(receiver, 5)
    const [, second, third] = receiver.received.map(({ event }) => event.id)
    const path = `/v1/webhook_endpoints/${endpoint.id}/replay`
    const answer = expectStatus(await seller.post<WireWebhookEndpoint>(path, { from: second, to: third }), 200)
    expect(answer.body.replay).toEqual({ next: second, to: third })
    await arrived(receiver, 7)
    expect(receiver.received.slice(5).map(({ event }) => event.id)).toEqual([second, third])
    expect(idsOf(receiver.received)).toHaveLength(5)
    await poll('the end of the replay', 10_000, async () => (await readEndpoint(endpoint)).replay === null)
    // By time, to now.
    expectStatus(await seller.post(path, { from: Math.floor(Date.now() / 1_000) - 3_600 }), 200)
    await poll('all once more', 10_000, () => receiver.received.length >= 12)
    expect(idsOf(receiver.received).length).toBeGreaterThanOrEqual(5)
  })
})
