import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Penstock, ProblemError, verifyWebhook } from '@penstock/sdk/index.ts'
import { packSdk } from '@penstock/sdk/pack/pack.ts'
import { Box } from '../box.ts'
import { Receiver } from '../receiver.ts'
import { newEmail, poll, present } from './shop.ts'
import type { Drop, DropCreate, Hold, WebhookDelivery, WebhookEndpoint } from '@penstock/sdk/index.ts'

/** The public client against a whole box: two HTTP processes, so that a read may meet another than the write did. */

let box: Box
let penstock: Penstock

beforeAll(async () => {
  // One retry, at once.
  const environment = { PENSTOCK_WEBHOOK_ALLOW_PRIVATE: '1', PENSTOCK_WEBHOOK_RETRY_DELAYS: '0.05' }
  box = await Box.start({ httpProcesses: 2, environment })
  penstock = new Penstock({ baseUrl: box.url, apiKey: box.secretKey })
})

afterAll(() => box.stop())

const friday: DropCreate = {
  name: 'Friday drop',
  currency: 'usd',
  skus: [{ name: 'Size 42', unit_amount: 4_999, stock: 10 }],
}

async function openDrop(changes: Partial<DropCreate> = {}): Promise<Drop> {
  const { id } = await penstock.drops.create({ ...friday, ...changes })
  return penstock.drops.publish(id)
}

function hold(client: Penstock, drop: Drop, quantity = 1): Promise<Hold> {
  const lines = drop.skus.map(({ id }) => ({ sku: id, quantity }))
  return client.holds.create({ drop: drop.id, lines, customer: { email: newEmail() } })
}

const payFor = (client: Penstock, { id, amount, currency }: Hold, idempotencyKey?: string) =>
  client.payments.create(
    { hold: id, provider: 'manual', provider_payment_id: `for ${id}`, amount, currency },
    { idempotencyKey },
  )

async function problemOf(call: Promise<unknown>): Promise<ProblemError> {
  const error: unknown = await call.then(
    () => expect.fail('it should have been refused'),
    (reason: unknown) => reason,
  )
  if (error instanceof ProblemError) return error
  throw error
}

describe('the README of the SDK', () => {
  it('has a quick start that prints what it says, from the packed SDK', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'penstock-quick-start-'))
    const own = await Box.start({ httpProcesses: 2 })
    try {
      packSdk(folder)
      mkdirSync(join(folder, 'node_modules', '@penstock'), { recursive: true })
      const readme = readFileSync(join(folder, 'package', 'README.md'), 'utf8')
      renameSync(join(folder, 'package'), join(folder, 'node_modules', '@penstock', 'sdk'))
      const [, code = '', printed] = /## Quick start\n.*?```js\n(.*?)```.*?```\n(.*?)```/s.exec(readme) ?? []
      writeFileSync(join(folder, 'quick-start.mjs'), code)
      const env = { ...process.env, SHOP_URL: own.url, SHOP_KEY: own.secretKey }
      const { stdout } = await promisify(execFile)(process.execPath, ['quick-start.mjs'], { cwd: folder, env })
      expect(stdout).toBe(printed)
    } finally {
      await own.stop()
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

describe('the SDK', () => {
  it('runs a drop from draft to end', async () => {
    const draft = await penstock.drops.create(friday)
    expect(draft).toMatchObject({ ...friday, object: 'drop', status: 'draft' })
    const { id, skus } = draft
    expect(await penstock.drops.publish(id)).toMatchObject({ status: 'live' })
    expect(await penstock.drops.update(id, { name: 'Saturday drop' })).toMatchObject({ name: 'Saturday drop' })
    expect(await penstock.drops.pause(id)).toMatchObject({ status: 'paused' })
    expect(await penstock.drops.resume(id)).toMatchObject({ status: 'live' })
    const restocked = await penstock.drops.restock(id, { sku: skus[0]?.id ?? '', quantity: -3 })
    expect(restocked.skus).toMatchObject([{ stock: 7, available: 7 }])
    expect(await penstock.drops.end(id)).toMatchObject({ status: 'ended' })
    expect(await penstock.drops.retrieve(id)).toMatchObject({ status: 'ended', name: 'Saturday drop' })
  })

  it('reads its writes, whichever process answers', async () => {
    const drop = await openDrop({ skus: [{ name: 'One', unit_amount: 100, stock: 200 }] })
    for (let taken = 1; taken <= 200; taken++) {
      const { id } = await hold(penstock, drop)
      const [found, seen] = await Promise.all([penstock.holds.retrieve(id), penstock.drops.retrieve(drop.id)])
      expect(found).toMatchObject({ id, status: 'active' })
      expect(seen.skus).toMatchObject([{ held: taken, available: 200 - taken }])
    }
  })

  it('tells a refusal by its code, and does not repeat it', async () => {
    const drop = await openDrop({ skus: [{ name: 'One', unit_amount: 100, stock: 1 }] })
    await hold(penstock, drop)
    const soldOut = await problemOf(hold(penstock, drop))
    expect(soldOut).toMatchObject({ code: 'sold_out', status: 409, param: 'lines[0].quantity', outcomeUnknown: false })
    expect(soldOut.requestId).toMatch(/^req_/)
    expect(await problemOf(penstock.drops.retrieve('drop_1'))).toMatchObject({ code: 'not_found', status: 404 })
    expect(await problemOf(penstock.drops.create({ ...friday, name: '' }))).toMatchObject({ param: 'name' })
    const stranger = new Penstock({ baseUrl: box.url, apiKey: 'sk_test_nobody' })
    expect(await problemOf(stranger.drops.list().page())).toMatchObject({ code: 'unauthorized', status: 401 })
  })

  it('answers the same key with the same object', async () => {
    const drop = await openDrop()
    const wanted = {
      drop: drop.id,
      lines: [{ sku: drop.skus[0]?.id ?? '', quantity: 1 }],
      customer: { email: newEmail() },
    }
    const options = { idempotencyKey: `hold of ${wanted.customer.email}` }
    const { id } = await penstock.holds.create(wanted, options)
    expect(await penstock.holds.create(wanted, options)).toMatchObject({ id })
    const other = { ...wanted, customer: { email: newEmail() } }
    expect(await problemOf(penstock.holds.create(other, options))).toMatchObject({ code: 'key_reused', status: 422 })
    expect((await penstock.drops.retrieve(drop.id)).skus).toMatchObject([{ held: 1 }])
  })

  it('serves a browser: a publishable key and the secret of a hold', async () => {
    const drop = await openDrop()
    const browser = new Penstock({ baseUrl: box.url, apiKey: box.publishableKey })
    // A client of its own has not seen the commit that made the drop: the other process may be a moment behind.
    const seen = await poll('the browser sees the drop', 5_000, () => browser.drops.retrieve(drop.id).catch(() => null))
    expect(seen).toMatchObject({ status: 'live' })
    const { id, client_secret: clientSecret } = await hold(browser, drop)
    expect(await problemOf(browser.holds.retrieve(id))).toMatchObject({ code: 'invalid_client_secret' })
    expect(await browser.holds.retrieve(id, { clientSecret })).toMatchObject({ status: 'active' })
    expect(await browser.holds.release(id, { clientSecret })).toMatchObject({ status: 'released' })
    expect(await problemOf(browser.orders.list().page())).toMatchObject({ code: 'forbidden', status: 403 })
  })

  it('reads orders page by page', async () => {
    const drop = await openDrop()
    const paid: (string | null)[] = []
    for (let count = 0; count < 5; count++) paid.push((await payFor(penstock, await hold(penstock, drop))).order)
    const newestFirst: string[] = []
    for await (const order of penstock.orders.list({ limit: 2 })) {
      if (order.drop !== drop.id) break
      newestFirst.push(order.id)
      expect(await penstock.orders.retrieve(order.id)).toMatchObject({ status: 'paid', payment: order.payment })
    }
    expect(newestFirst.toReversed()).toEqual(paid)
    const oldestFirst: string[] = []
    for await (const { id } of penstock.orders.list({ limit: 2, ending_before: paid[1] ?? '' })) oldestFirst.push(id)
    expect(oldestFirst).toEqual(paid.slice(2))
  })

  it('follows a drop while it changes', async () => {
    const drop = await openDrop()
    const stop = new AbortController()
    const held: (number | undefined)[] = []
    await penstock.drops.subscribe(
      drop.id,
      {
        onDrop: ({ skus }) => {
          held.push(skus[0]?.held)
          if (held.length < 4) void hold(penstock, drop)
          else stop.abort()
        },
      },
      { signal: stop.signal, intervalMs: 100 },
    )
    expect(held).toEqual([0, 1, 2, 3])
  })

  it('pays at a provider: a checkout, the same when asked again', async () => {
    const drop = await openDrop()
    const browser = new Penstock({ baseUrl: box.url, apiKey: box.publishableKey })
    const { id, amount, currency, client_secret: clientSecret } = await hold(penstock, drop)
    const wanted = { provider: 'test', return_url: 'https://shop.example/thanks' } as const
    expect(await problemOf(browser.holds.checkout(id, wanted))).toMatchObject({ code: 'invalid_client_secret' })
    const checkout = await browser.holds.checkout(id, wanted, { clientSecret })
    expect(checkout).toMatchObject({ object: 'checkout', provider: 'test', hold: id, amount, currency })
    expect(await penstock.holds.checkout(id, wanted)).toEqual(checkout)
    const form = new URLSearchParams({ action: 'succeed' })
    const page = present(checkout.url, 'the page of the test provider')
    expect((await fetch(page, { method: 'POST', body: form, redirect: 'manual' })).status).toBe(303)
    const order = await poll('the order', 5_000, async () => {
      for await (const found of penstock.orders.list({ drop: drop.id })) return found
      return null
    })
    expect(order).toMatchObject({ hold: id, status: 'paid' })
    const notSetUp = await problemOf(penstock.holds.checkout(id, { provider: 'stripe' }))
    expect(notSetUp).toMatchObject({ code: 'provider_not_configured', param: 'provider' })
  })

  it('has events sent to a receiver: endpoints, deliveries page by page, retry, replay and rotation', async () => {
    const receiver = await Receiver.open()
    const drop = await openDrop()
    const { webhookEndpoints, webhookDeliveries } = penstock
    const { secret, ...made } = await webhookEndpoints.create({ url: receiver.url, events: ['payment.captured'] })
    try {
      expect(await webhookEndpoints.retrieve(made.id)).toEqual(made)
      const endpoints: WebhookEndpoint[] = []
      for await (const endpoint of webhookEndpoints.list()) endpoints.push(endpoint)
      expect(endpoints).toEqual([made])

      const deliveriesOf = async (status: WebhookDelivery['status']): Promise<readonly WebhookDelivery[]> => {
        const found: WebhookDelivery[] = []
        const list = webhookDeliveries.list({ endpoint: made.id, status, limit: 1 })
        for await (const delivery of list) found.push(delivery)
        return found
      }
      receiver.reply = () => ({ status: 500 })
      const first = await payFor(penstock, await hold(penstock, drop))
      const given = await poll('one given up', 5_000, async () => (await deliveriesOf('failed'))[0] ?? null)
      expect((await webhookEndpoints.retrieve(made.id)).disabled_reason).toBe('failing')
      expect(await webhookDeliveries.retrieve(given.id)).toEqual(given)
      expect(await problemOf(webhookDeliveries.retry(given.id))).toMatchObject({ code: 'invalid_transition' })

      for (let count = 0; count < 2; count++) await payFor(penstock, await hold(penstock, drop))
      receiver.reply = () => ({ status: 200 })
      receiver.received.length = 0
      const enabled = await webhookEndpoints.update(made.id, { status: 'enabled', description: 'Warehouse' })
      expect(enabled).toMatchObject({ status: 'enabled', description: 'Warehouse', disabled_reason: null })
      expect(await webhookDeliveries.retry(given.id)).toMatchObject({ status: 'pending', failures: 0 })
      await poll('all three', 5_000, async () => ((await deliveriesOf('succeeded')).length === 3 ? true : null))
      const retried = present(
        receiver.received.find(({ event }) => event.id === given.event),
        'the retry',
      )
      const event = await verifyWebhook(retried.body, retried.headers, present(secret, 'the secret'))
      expect(event).toMatchObject({ type: 'payment.captured', data: { id: first.id } })

      const rotated = await webhookEndpoints.rotateSecret(made.id, { overlap: 0 })
      await webhookEndpoints.replay(made.id, { from: given.event })
      await poll('the replay', 5_000, () => Promise.resolve(receiver.received.length === 6 ? true : null))
      const last = present(receiver.received.at(-1), 'the last of the replay')
      await verifyWebhook(last.body, last.headers, present(rotated.secret, 'the new secret'))
      expect(await webhookEndpoints.delete(made.id)).toEqual({ id: made.id, object: 'webhook_endpoint', deleted: true })
      expect(await problemOf(webhookEndpoints.retrieve(made.id))).toMatchObject({ code: 'not_found' })
    } finally {
      await webhookEndpoints.delete(made.id)
      receiver.close()
    }
  })

  it('rides out a killed writer: every payment is captured, once', async () => {
    const drop = await openDrop({ skus: [{ name: 'One', unit_amount: 100, stock: 40 }] })
    const holds: Hold[] = []
    for (let count = 0; count < 40; count++) holds.push(await hold(penstock, drop))
    const payments = holds.map((one, index) => payFor(penstock, one, `payment ${index} of ${drop.id}`))
    await box.killWriter()
    const answers = await Promise.all(payments)
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set(['captured']))
    const again = await Promise.all(holds.map((one, index) => payFor(penstock, one, `payment ${index} of ${drop.id}`)))
    expect(again.map(({ order }) => order)).toEqual(answers.map(({ order }) => order))
    expect((await penstock.drops.retrieve(drop.id)).skus).toMatchObject([{ sold: 40, held: 0 }])
  })
})
