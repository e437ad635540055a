import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Penstock, ProblemError } from '@penstock/sdk/index.ts'
import { packSdk } from '@penstock/sdk/pack/pack.ts'
import { Box } from '../box.ts'
import { newEmail, poll } from './shop.ts'
import type { Drop, DropCreate, Hold } from '@penstock/sdk/index.ts'

/** The public client against a whole box: two HTTP processes, so that a read may meet another than the write did. */

let box: Box
let penstock: Penstock

beforeAll(async () => {
  box = await Box.start({ httpProcesses: 2 })
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
      const env = { ...process.env, PENSTOCK_URL: own.url, PENSTOCK_SECRET_KEY: own.secretKey }
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
