import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { auditChecks } from '@penstock/store-sqlite/audit.ts'
import { releasedMigrations, schemaVersion } from '@penstock/store-sqlite/migrate.ts'
import { openWriter } from '@penstock/store-sqlite/open.ts'
import { Box } from '../box.ts'
import { Client } from '../client.ts'
import { penstock } from '../penstock.ts'
import { makeFirstDatabase } from '../upgrade/first-fixture.ts'
import { createDrop, expectStatus, footprint, openDrop, pay, poll, present, readDrop, skuOf, takeHold } from './shop.ts'
import type { Ended } from '../penstock.ts'
import type { WireDrop, WireList, WireOrder, WireRefund, WireWebhookEndpoint } from '../wire-types.ts'

/** The `penstock` command against a running box, and on the folder of a stopped one. */

let box: Box
let seller: Client
let folder: string

beforeAll(async () => {
  box = await Box.start({ httpProcesses: 2 })
  seller = new Client(box.url, box.secretKey)
})
afterAll(async () => {
  seller.close()
  await box.stop()
})
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'penstock-cli-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** On the running box, from the temporary folder. */
function ask(...args: string[]): Promise<Ended> {
  return penstock([...args, '--url', box.url, '--data', box.dataFolder], { cwd: folder })
}

/** What it printed with --json, once its exit code is as expected. */
function parse<Value>({ code, stdout, stderr }: Ended, expected = 0): Readonly<Value> {
  expect([code, stderr]).toEqual([expected, expect.any(String)])
  if (code !== expected) throw new Error(stderr)
  return JSON.parse(stdout) as Value
}

const dropFile = `drops:
  - name: First
    currency: usd
    max_per_customer: 2
    metadata: {season: "7"}
    skus:
      - {name: S, unit_amount: 4999, stock: 10}
      - {name: M, unit_amount: 5999, stock: 20}
  - name: Second
    currency: jpy
    starts_at: 1900000000
    ends_at: 1900086400
    late_payment: refund
    skus:
      - {name: one size, unit_amount: 4999, stock: 1}
`

async function listDrops(): Promise<readonly WireDrop[]> {
  return expectStatus(await seller.get<WireList<WireDrop>>('/v1/drops?limit=100'), 200).body.data
}

describe('drop import, export and list', () => {
  it('an import that is repeated, also after a publish, makes the drops once', async () => {
    writeFileSync(join(folder, 'drops.yaml'), dropFile)
    const before = await listDrops()
    const dry = await ask('drop', 'import', 'drops.yaml', '--dry-run')
    expect([dry.code, dry.stdout]).toEqual([0, 'drops.yaml: 2 drops, no mistakes\n'])
    expect(await listDrops()).toHaveLength(before.length)

    const first = await ask('drop', 'import', 'drops.yaml')
    expect(first.code).toBe(0)
    expect(first.stdout).toMatch(/^made {3}drop_\w+ {2}draft {2}First\nmade {3}drop_\w+ {2}draft {2}Second\n$/)
    const { data } = parse<WireList<WireDrop>>(await ask('drop', 'import', 'drops.yaml', '--publish', '--json'))
    expect(data.map(({ name, status }) => [name, status])).toEqual([
      ['First', 'live'],
      ['Second', 'scheduled'],
    ])
    const again = await ask('drop', 'import', 'drops.yaml', '--publish')
    expect(again.stdout).toMatch(/^known {2}drop_\w+ {2}live {2}First\nknown {2}drop_\w+ {2}scheduled {2}Second\n$/)
    expect(await listDrops()).toHaveLength(before.length + 2)
  })

  it('two copies of a drop in one file are two drops', async () => {
    writeFileSync(
      join(folder, 'drops.json'),
      JSON.stringify({
        drops: [0, 1].map(() => ({ name: 'Twin', currency: 'usd', skus: [{ name: 'x', unit_amount: 1, stock: 1 }] })),
      }),
    )
    for (let round = 0; round < 2; round++) {
      const { data } = parse<WireList<WireDrop>>(await ask('drop', 'import', 'drops.json', '--json'))
      expect(new Set(data.map(({ id }) => id)).size).toBe(2)
    }
    expect((await listDrops()).filter(({ name }) => name === 'Twin')).toHaveLength(2)
  })

  it('mistakes are named by line and column, and nothing is made', async () => {
    const before = footprint(box.databasePath)
    writeFileSync(join(folder, 'drops.yaml'), dropFile.replace('stock: 20', 'stock: many').replace('jpy', 'yen'))
    const bad = await ask('drop', 'import', 'drops.yaml')
    expect([bad.code, bad.stdout]).toEqual([2, ''])
    expect(bad.stderr).toContain('drops.yaml:8:38 skus[1].stock must be a whole number from 0 to 100000000.\n')
    expect(bad.stderr).toContain('drops.yaml:10:5 currency must be')
    expect(bad.stderr).toContain('2 mistakes, nothing was made')
    expect(footprint(box.databasePath)).toEqual(before)
  })

  it('what only the server refuses is named as well; what was made before it stays, and is known when it is mended', async () => {
    const before = await listDrops()
    const mended = dropFile.replace('First', 'Before the mistake').replace('Second', 'Mended')
    writeFileSync(join(folder, 'drops.yaml'), mended.replace('1900086400', '1899999999'))
    const refused = await ask('drop', 'import', 'drops.yaml')
    expect([refused.code, refused.stdout]).toEqual([
      4,
      expect.stringMatching(/^made {3}drop_\w+ {2}draft {2}Before the mistake\n$/),
    ])
    expect(refused.stderr).toMatch(/^drops\.yaml:12:5 the server refused \(400 invalid_request\): /)
    expect(await listDrops()).toHaveLength(before.length + 1)
    writeFileSync(join(folder, 'drops.yaml'), mended)
    const { stdout } = await ask('drop', 'import', 'drops.yaml')
    expect(stdout).toMatch(/^known {2}drop_\w+ {2}draft {2}Before the mistake\nmade {3}drop_\w+ {2}draft {2}Mended\n$/)
    expect(await listDrops()).toHaveLength(before.length + 2)
  })

  it.each([[[]], [['--json']]])('an export %j imports again as the same drops', async (format) => {
    const full = {
      starts_at: 1_900_000_000,
      ends_at: 1_900_086_400,
      hold_ttl: 60,
      max_per_customer: 3,
      late_payment: 'refund',
      description: 'Two\nlines: "quoted"',
      image: 'https://example.com/a.png',
      metadata: { a: 'yes', b: '1' },
      name: `#1 ${format.length}`,
      fees: [
        { name: 'Post', kind: 'shipping', amount: 499 },
        { name: 'VAT', kind: 'tax', basis_points: 1_900 },
      ],
      skus: [
        { name: 'S', unit_amount: 4_999, stock: 100, max_per_order: 2 },
        { name: 'M', unit_amount: 0, stock: 7 },
      ],
    }
    const drop = await createDrop(seller, full)
    const out = join(folder, 'out.yaml')
    const exported = await ask('drop', 'export', drop.id, '--out', out, ...format)
    expect([exported.code, exported.stdout]).toEqual([0, ''])
    const { data } = parse<WireList<WireDrop>>(await ask('drop', 'import', out, '--json'))
    const copy = present(data[0], 'the copy')
    const own = new Set(['id', 'created', 'server_time'])
    const facts = (object: object): unknown =>
      JSON.parse(JSON.stringify(object, (name, value: unknown) => (own.has(name) ? undefined : value)))
    expect(copy.id).not.toBe(drop.id)
    expect(facts(copy)).toEqual(facts(drop))
    expect(copy).toMatchObject({ fees: full.fees, skus: [{ max_per_order: 2 }, { max_per_order: null }] })

    const kept = readFileSync(out, 'utf8')
    const second = await ask('drop', 'export', drop.id, '--out', out)
    expect([second.code, second.stderr]).toEqual([2, expect.stringContaining('nothing is overwritten')])
    expect(readFileSync(out, 'utf8')).toBe(kept)
  })

  it('--all has every drop, over several pages', async () => {
    for (let index = 0; index < 3; index++) await createDrop(seller, { name: `Many ${index}` })
    const all = await listDrops()
    const { drops } = parse<{ drops: WireDrop[] }>(await ask('drop', 'export', '--all', '--json'))
    expect(drops.map(({ name }) => name)).toEqual(all.map(({ name }) => name).toReversed())
  })

  it('a cancelled drop is listed as such, is not published again by its file, and its export makes a draft', async () => {
    const text = JSON.stringify({
      name: 'Called off',
      currency: 'usd',
      skus: [{ name: 'x', unit_amount: 1, stock: 1 }],
    })
    writeFileSync(join(folder, 'drop.json'), text)
    const { data: made } = parse<WireList<WireDrop>>(await ask('drop', 'import', 'drop.json', '--publish', '--json'))
    const { id } = present(made[0], 'the drop')
    expectStatus(await seller.post(`/v1/drops/${id}/cancel`), 200)
    const listed = await ask('drop', 'list', '--status', 'cancelled')
    expect(listed.stdout).toMatch(new RegExp(`\n${id} +cancelled .* Called off\n$`))
    const again = await ask('drop', 'import', 'drop.json', '--publish')
    expect([again.code, again.stdout]).toEqual([0, `known  ${id}  cancelled  Called off\n`])
    expect((await ask('drop', 'export', id, '--out', 'out.yaml')).code).toBe(0)
    const { data: copies } = parse<WireList<WireDrop>>(await ask('drop', 'import', 'out.yaml', '--json'))
    const copy = present(copies[0], 'the copy')
    expect([copy.status, copy.id === id]).toEqual(['draft', false])
  })

  it('drop list shows what the API has', async () => {
    const drop = await openDrop(seller, { name: 'Listed' })
    await pay(seller, await takeHold(seller, drop))
    const shown = await ask('drop', 'list', '--limit', '1')
    expect(shown.code).toBe(0)
    expect(shown.stdout).toMatch(/^id +status +starts +stock +held +sold +name\n/)
    expect(shown.stdout).toMatch(new RegExp(`\n${drop.id} +live +[-0-9]+ [:0-9]+Z +100 +0 +1 +Listed\n$`))
    expect(shown.stderr).toBe('There are more: see --limit.\n')
    const { data, has_more: hasMore } = parse<WireList<WireDrop>>(await ask('drop', 'list', '--limit', '1', '--json'))
    expect([data[0], hasMore]).toEqual([expect.objectContaining({ id: drop.id, object: 'drop' }), true])
    expect(
      parse<WireList<WireDrop>>(await ask('drop', 'list', '--status', 'scheduled', '--json')).data.every(
        ({ status }) => status === 'scheduled',
      ),
    ).toBe(true)
  })
})

describe('order list and show', () => {
  it('show the orders of the box, amounts with their decimals', async () => {
    const drop = await openDrop(seller)
    const payment = expectStatus(await pay(seller, await takeHold(seller, drop, 2)), 201).body
    const id = present(payment.order, 'the order')
    const order = expectStatus(await seller.get<WireOrder>(`/v1/orders/${id}`), 200).body

    const listed = await ask('order', 'list')
    expect(listed.stdout).toMatch(
      new RegExp(
        `^id +status +created +amount +customer\n${id} +paid +[-0-9]+ [:0-9]+Z +99\\.98 USD +buyer-\\d+@example\\.com\n`,
      ),
    )
    // Codes are of one order, not of lists.
    const { codes, ...inList } = order
    expect(codes).toHaveLength(2)
    expect(parse<WireList<WireOrder>>(await ask('order', 'list', '--limit', '1', '--json')).data).toEqual([inList])

    const shown = await ask('order', 'show', id)
    expect(shown.stdout).toMatch(/^id +ord_\w+\nstatus +paid\n/)
    expect(shown.stdout).toMatch(/\namount +99\.98 USD\n/)
    expect(shown.stdout).toMatch(/\nsku_\w+ +2 +0 +49\.99 USD\n/)
    expect(parse(await ask('order', 'show', id, '--json'))).toEqual(order)
  })

  it('show fees, codes, what was refunded, and that the customer was erased', async () => {
    const drop = await openDrop(seller, { fees: [{ name: 'Post', kind: 'shipping', amount: 499 }] })
    const payment = expectStatus(await pay(seller, await takeHold(seller, drop, 2)), 201).body
    const id = present(payment.order, 'the order')
    const before = expectStatus(await seller.get<WireOrder>(`/v1/orders/${id}`), 200).body
    const [used, unused] = present(before.codes, 'the codes')
    expectStatus(await seller.post(`/v1/codes/${used?.code}/verify`), 200)
    const lines = [{ sku: skuOf(drop).id, quantity: 1 }]
    expectStatus(await seller.post('/v1/refunds', { payment: payment.id, lines }), 201)
    expectStatus(await seller.post(`/v1/orders/${id}/erase`), 200)

    const { code, stdout } = await ask('order', 'show', id)
    expect(code).toBe(0)
    for (const line of [
      /^status +partially_refunded$/m,
      /^amount +104\.97 USD$/m,
      /^amount_refunded +49\.99 USD$/m,
      /^fee Post +4\.99 USD$/m,
      /^customer +\(erased\)$/m,
      /^sku_\w+ +2 +1 +49\.99 USD$/m,
      new RegExp(`^${used?.code} +sku_\\w+ +used$`, 'm'),
      new RegExp(`^${unused?.code} +sku_\\w+ +\\w+$`, 'm'),
    ]) {
      expect(stdout).toMatch(line)
    }
    expect((await ask('order', 'list', '--limit', '1')).stdout).toMatch(new RegExp(`\n${id} .* \\(erased\\)\n$`))
    const after = expectStatus(await seller.get<WireOrder>(`/v1/orders/${id}`), 200).body
    expect(parse(await ask('order', 'show', id, '--json'))).toEqual(after)
  })
})

describe('order refund', () => {
  /** Two units at 49.99, paid. */
  const sell = async (): Promise<{ drop: WireDrop; id: string }> => {
    const drop = await openDrop(seller)
    const { order } = expectStatus(await pay(seller, await takeHold(seller, drop, 2)), 201).body
    return { drop, id: present(order, 'the order') }
  }
  const orderNow = async (id: string): Promise<WireOrder> =>
    expectStatus(await seller.get<WireOrder>(`/v1/orders/${id}`), 200).body

  it('without options gives back all that is left, once for a key', async () => {
    const { id } = await sell()
    const first = await ask('order', 'refund', id, '--key', id, '--reason', 'rained off')
    expect([first.code, first.stderr]).toEqual([0, `Idempotency-Key ${id}\n`])
    expect(first.stdout).toMatch(new RegExp(`^rfnd_\\w+ {2}succeeded {2}99\\.98 USD of ${id}\n$`))
    const before = footprint(box.databasePath)
    const again = parse<WireRefund>(await ask('order', 'refund', id, '--key', id, '--reason', 'rained off', '--json'))
    expect(first.stdout).toContain(again.id)
    expect(again).toMatchObject({ amount: 9_998, reason: 'rained off', restock: false, lines: [{ quantity: 2 }] })
    expect(footprint(box.databasePath)).toEqual(before)
    expect(await orderNow(id)).toMatchObject({ status: 'refunded', amount_refunded: 9_998 })
    const empty = await ask('order', 'refund', id)
    expect([empty.code, empty.stderr]).toEqual([4, expect.stringContaining('409 refund_too_large')])
    expect(footprint(box.databasePath)).toEqual(before)
  })

  it('--amount gives back that much, and no units', async () => {
    const { drop, id } = await sell()
    const refund = parse<WireRefund>(await ask('order', 'refund', id, '--amount', '10.00', '--json'))
    expect(refund).toMatchObject({ status: 'succeeded', order: id, amount: 1_000, lines: [] })
    expect(await orderNow(id)).toMatchObject({ status: 'partially_refunded', amount_refunded: 1_000 })
    expect(skuOf(await readDrop(seller, drop.id)).sold).toBe(2)
  })

  it('--line gives back units at their price, and --restock puts them on sale again', async () => {
    const { drop, id } = await sell()
    const sku = skuOf(drop).id
    const { code, stdout } = await ask('order', 'refund', id, '--line', `${sku}=1`)
    expect([code, stdout]).toEqual([0, expect.stringContaining('49.99 USD')])
    expect(skuOf(await readDrop(seller, drop.id)).sold).toBe(2)
    const refund = parse<WireRefund>(await ask('order', 'refund', id, '--line', `${sku}=1`, '--restock', '--json'))
    expect(refund).toMatchObject({ amount: 4_999, lines: [{ sku, quantity: 1 }], restock: true })
    await poll('the unit is on sale again', 5_000, async () => skuOf(await readDrop(seller, drop.id)).sold === 1)
    expect((await orderNow(id)).lines).toMatchObject([{ quantity: 2, quantity_refunded: 2 }])
  })

  it.each([
    ['--amount', '99.99'],
    ['--line', '3'],
  ])('%s %s of two units at 49.99 is refused, and nothing is given back', async (option, value) => {
    const { drop, id } = await sell()
    const before = footprint(box.databasePath)
    const asked = option === '--line' ? `${skuOf(drop).id}=${value}` : value
    const { code, stdout, stderr } = await ask('order', 'refund', id, option, asked, '--json')
    expect([code, stdout]).toEqual([4, ''])
    const [, problem = ''] = /^Idempotency-Key refund-\S+\n(.*)\n$/.exec(stderr) ?? []
    expect(JSON.parse(problem)).toMatchObject({ error: { exit_code: 4, problem: { code: 'refund_too_large' } } })
    expect(footprint(box.databasePath)).toEqual(before)
  })
})

describe('key create, list, roll and revoke', () => {
  interface PrintedKey {
    readonly id: string
    readonly secret: string
  }
  /** What a call with this key is answered. */
  const statusWith = async (secret: string, path: string): Promise<number> => {
    const client = new Client(box.url, secret)
    const { status } = await client.get(path)
    client.close()
    return status
  }

  it('make a key that may do what it says, replace it, and end it', async () => {
    const made = parse<PrintedKey>(await ask('key', 'create', '--name', 'Desk', '--scopes', 'orders:read', '--json'))
    expect(await statusWith(made.secret, '/v1/orders')).toBe(200)
    expect(await statusWith(made.secret, '/v1/payments')).toBe(403)
    const environment = { PENSTOCK_SECRET_KEY: made.secret }
    const refused = await penstock(['key', 'list', '--url', box.url], { cwd: folder, environment })
    expect([refused.code, refused.stderr]).toEqual([4, expect.stringContaining('api_keys:read')])

    const next = parse<PrintedKey>(await ask('key', 'roll', made.id, '--overlap', '0', '--json'))
    expect(await statusWith(next.secret, '/v1/orders')).toBe(200)
    await poll('the rolled key is refused', 5_000, async () => (await statusWith(made.secret, '/v1/orders')) === 401)
    const revoked = await ask('key', 'revoke', next.id)
    expect([revoked.code, revoked.stdout]).toEqual([0, expect.stringMatching(new RegExp(`^${next.id} was revoked `))])
    await poll('the revoked key is refused', 5_000, async () => (await statusWith(next.secret, '/v1/orders')) === 401)

    const listed = await ask('key', 'list')
    expect(listed.code).toBe(0)
    for (const id of [made.id, next.id]) expect(listed.stdout).toContain(id)
    expect(listed.stdout).toContain('Desk')
    for (const secret of [made.secret, next.secret]) expect(listed.stdout).not.toContain(secret)
  })
})

describe('webhook', () => {
  const show = async (id: string): Promise<WireWebhookEndpoint> =>
    expectStatus(await seller.get<WireWebhookEndpoint>(`/v1/webhook_endpoints/${id}`), 200).body

  it('create, list, rotate, disable, enable, replay and delete do what they say', async () => {
    // Of a kind that does not happen here, so that nothing is sent to it.
    const events = ['--events', 'dispute.won,dispute.lost', '--description', 'Warehouse']
    type Made = WireWebhookEndpoint & { readonly secret: string }
    const made = parse<Made>(await ask('webhook', 'create', 'https://shop.example/hook', ...events, '--json'))
    const { id, secret } = made
    expect(made).toMatchObject({ status: 'enabled', events: ['dispute.won', 'dispute.lost'], description: 'Warehouse' })
    expect((await ask('webhook', 'list')).stdout).toMatch(
      new RegExp(`^${id} +enabled +- +- +dispute\\.won,dispute\\.lost +https://shop\\.example/hook +Warehouse$`, 'm'),
    )
    const rotated = await ask('webhook', 'rotate', id, '--overlap', '0')
    expect([rotated.code, rotated.stdout]).toEqual([0, expect.stringMatching(/\nwhsec_\S+\n$/)])
    expect(rotated.stdout).not.toContain(secret)

    expect((await ask('webhook', 'disable', id)).stdout).toBe(`${id}  disabled (seller)  https://shop.example/hook\n`)
    expect(await show(id)).toMatchObject({ status: 'disabled' })
    const refused = await ask('webhook', 'replay', id, '--from', 'evt_1')
    expect([refused.code, refused.stderr]).toEqual([4, expect.stringContaining('enable it first')])
    expect((await ask('webhook', 'enable', id)).stdout).toBe(`${id}  enabled  https://shop.example/hook\n`)
    const replayed = await ask('webhook', 'replay', id, '--from', 'evt_1', '--to', 'evt_1')
    expect([replayed.code, replayed.stdout]).toEqual([0, expect.stringContaining('replays evt_1 to evt_1')])

    const none = parse<WireList<object>>(await ask('webhook', 'deliveries', '--endpoint', id, '--json'))
    expect(none).toEqual({ object: 'list', data: [], has_more: false })
    const unknown = await ask('webhook', 'retry', 'whd_999999')
    expect([unknown.code, unknown.stderr]).toEqual([4, expect.stringContaining('not_found')])
    expect((await ask('webhook', 'delete', id)).stdout).toBe(`${id} was deleted\n`)
    expect((await seller.get(`/v1/webhook_endpoints/${id}`)).status).toBe(404)
  })
})

describe('what ends otherwise', () => {
  it('4: the server refuses', async () => {
    const unknown = await ask('order', 'show', 'ord_00000000000000000000000000', '--json')
    expect([unknown.code, unknown.stdout]).toEqual([4, ''])
    expect(JSON.parse(unknown.stderr)).toMatchObject({
      error: {
        exit_code: 4,
        message: expect.stringContaining('404 not_found') as unknown,
        problem: { code: 'not_found', status: 404 },
      },
    })
    const environment = { PENSTOCK_SECRET_KEY: 'sk_test_of_somebody_else_1234' }
    const stranger = await penstock(['order', 'list', '--url', box.url], { cwd: folder, environment })
    expect([stranger.code, stranger.stderr]).toEqual([4, expect.stringContaining('401 unauthorized')])
  })

  it('5: nobody answers', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    server.close()
    await once(server, 'close')
    const { code, stdout, stderr } = await penstock([
      'order',
      'list',
      '--url',
      `http://127.0.0.1:${port}`,
      '--data',
      box.dataFolder,
    ])
    expect([code, stdout]).toEqual([5, ''])
    expect(stderr).toMatch(/^no answer from http:\/\/127\.0\.0\.1:\d+: .*ECONNREFUSED.*penstock start/)
  })

  it('1: something else answers', async () => {
    const server = createServer((_, response) => response.end('<html>')).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const { code, stderr } = await penstock([
      'order',
      'list',
      '--url',
      `http://127.0.0.1:${port}`,
      '--data',
      box.dataFolder,
    ])
    server.close()
    expect([code, stderr]).toEqual([1, expect.stringContaining('is not Penstock')])
  })
})

describe('seed', () => {
  it('makes a live demo drop on a box without drops, and only there', async () => {
    await createDrop(seller)
    const before = footprint(box.databasePath)
    const full = await ask('seed')
    expect([full.code, full.stdout]).toEqual([0, 'there are drops already: nothing was made\n'])
    expect(footprint(box.databasePath)).toEqual(before)
    const empty = await Box.start({ httpProcesses: 1 })
    try {
      const options = ['--url', empty.url, '--data', empty.dataFolder]
      const { drop } = parse<{ drop: string }>(await penstock(['seed', '--json', ...options]))
      const { data } = parse<WireList<WireDrop>>(await penstock(['drop', 'list', '--json', ...options]))
      expect(data).toMatchObject([{ id: drop, status: 'live' }])
    } finally {
      await empty.stop()
    }
  })
})

describe('audit', () => {
  it('runs beside a box that sells, without disturbing it, and finds nothing', async () => {
    const drop = await openDrop(seller, {
      max_per_customer: 1_000,
      skus: [{ name: 'x', unit_amount: 1, stock: 100_000 }],
    })
    const closing = new AbortController()
    let sold = 0
    const buyers = Array.from({ length: 8 }, async () => {
      while (!closing.signal.aborted) {
        expectStatus(await pay(seller, await takeHold(seller, drop)), 201)
        sold += 1
      }
    })
    try {
      const reports = []
      for (let round = 0; round < 3; round++) {
        const before = sold
        const ended = await penstock(['audit', '--json', '--data', box.dataFolder])
        expect(sold).toBeGreaterThan(before)
        reports.push(parse<Record<string, unknown>>(ended))
      }
      for (const report of reports) {
        expect(report).toMatchObject({ object: 'audit', sound: true, checks: auditChecks, violations: [] })
      }
      expect(
        Math.max(...reports.map((report) => Number(report['seq_to']) - Number(report['seq_from']))),
      ).toBeGreaterThan(0)
    } finally {
      closing.abort()
      await Promise.all(buyers)
    }
    const { code, stdout, stderr } = await penstock(['audit', '--data', box.dataFolder])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/\n {2}commit +\d+\n/)
    expect(stdout).toMatch(
      new RegExp(`\n {2}rows of orders +${footprint(box.databasePath)['orders']?.toLocaleString('en-US')}\n`),
    )
    expect(stdout).toMatch(/\n {2}balance of sales +-\d+\.\d\d USD\n/)
    expect(stdout).toMatch(new RegExp(`\nSound: ${auditChecks.length} checks found nothing wrong, in [.\\d]+ s\\.\n$`))
  })
})

describe('a stopped box', () => {
  let data: string

  /** A copy of the running box's database is no copy; this one was made by a box of its own, and stopped. */
  beforeAll(async () => {
    data = mkdtempSync(join(tmpdir(), 'penstock-cli-data-'))
    const stopped = await Box.start({ dataFolder: data, httpProcesses: 1 })
    const client = new Client(stopped.url, stopped.secretKey)
    await pay(client, await takeHold(client, await openDrop(client)))
    client.close()
    await stopped.stop()
  })
  afterAll(() => rmSync(data, { recursive: true }))

  it('audit names the table, the key, what it expected and what it found, and ends with 3', async () => {
    copyFileSync(join(data, 'penstock.db'), join(folder, 'penstock.db'))
    const db = openWriter(join(folder, 'penstock.db'))
    const sku = String(db.prepare('UPDATE sku SET sold = sold + 1 RETURNING id').pluck().get())
    db.exec("UPDATE ledger_balance SET balance = balance - 7 WHERE account = 'sales'")
    db.close()
    const { code, stdout, stderr } = await penstock(['audit', '--data', folder])
    expect([code, stderr]).toEqual([3, ''])
    expect(stdout).toMatch(/\n {2}BROKEN {2}sold_equals_captured_holds\n/)
    expect(stdout).toMatch(/\n {2}ok {6}held_equals_active_holds\n/)
    expect(stdout).toMatch(
      new RegExp(
        `\nsold_equals_captured_holds +sku +${sku} +sold 1, as its captured holds less restocked units +sold 2\n`,
      ),
    )
    expect(stdout).toMatch(
      /\nbalance_equals_entries +ledger_balance +sales usd +balance -4999, as the entries +balance -5006\n/,
    )
    expect(stdout).toContain(`BROKEN: 3 of ${auditChecks.length} checks`)

    const report = parse<{ sound: boolean; violations: unknown[] }>(
      await penstock(['audit', '--json', '--data', folder, '--only', 'sold_equals_captured_holds']),
      3,
    )
    expect(report).toMatchObject({
      sound: false,
      checks: ['sold_equals_captured_holds'],
      violations: [
        {
          check: 'sold_equals_captured_holds',
          table: 'sku',
          key: sku,
          expected: 'sold 1, as its captured holds less restocked units',
          found: 'sold 2',
        },
      ],
    })
    const wrong = await penstock(['audit', '--data', folder, '--only', 'sold'])
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('there is no such check')])
  })

  it('audit and migrate refuse a folder without a database, and make nothing', async () => {
    for (const command of ['audit', 'migrate']) {
      const { code, stderr } = await penstock([command, '--data', folder])
      expect([code, stderr]).toEqual([2, expect.stringContaining('there is no database at')])
    }
    expect(readdirSync(folder)).toEqual([])
  })

  it('migrate says from where to where, once, and refuses while a writer runs', async () => {
    writeFileSync(join(folder, 'penstock.db'), '')
    const options = ['--data', folder]
    expect((await penstock(['migrate', ...options])).stdout).toBe(
      `migrated ${folder} from schema 0 to ${schemaVersion}\n`,
    )
    expect((await penstock(['migrate', ...options])).stdout).toBe(`nothing to do: schema ${schemaVersion}\n`)
    const running = await penstock(['migrate', '--data', box.dataFolder])
    expect([running.code, running.stdout]).toEqual([4, ''])
    expect(running.stderr).toMatch(/another writer runs on this data folder .*: stop the box first/)
    expectStatus(await seller.get('/readyz'), 200)
  })

  it('migrate brings a database of the first release up, telling each migration; audit asks for it before', async () => {
    makeFirstDatabase(join(folder, 'penstock.db'))
    const before = await penstock(['audit', '--data', folder])
    expect([before.code, before.stdout]).toEqual([4, ''])
    expect(before.stderr).toMatch(/has schema version 1, .* penstock migrate/)
    const { code, stdout, stderr } = await penstock(['migrate', '--data', folder])
    expect([code, stdout]).toEqual([0, `migrated ${folder} from schema 1 to ${schemaVersion}\n`])
    const lines = stderr.trimEnd().split('\n')
    expect(lines[0]).toMatch(/^migrating the database from schema 1 to \d+ .* backup made before$/)
    expect(lines.slice(1, -1)).toEqual(
      releasedMigrations
        .slice(1)
        .map(({ name }, index) => `migration ${index + 1} of ${schemaVersion - 1}: ${name} ...`),
    )
    expect(parse(await penstock(['audit', '--json', '--data', folder]))).toMatchObject({ sound: true })
  })

  it('migrate refuses a database of a newer release', async () => {
    copyFileSync(join(data, 'penstock.db'), join(folder, 'penstock.db'))
    const db = openWriter(join(folder, 'penstock.db'))
    db.pragma(`user_version = ${schemaVersion + 1}`)
    db.close()
    for (const command of ['migrate', 'audit']) {
      const { code, stderr } = await penstock([command, '--data', folder])
      expect([code, stderr]).toEqual([
        4,
        expect.stringMatching(`has schema version ${schemaVersion + 1}, this release \\S+ knows ${schemaVersion}: `),
      ])
    }
    const { data: findings } = parse<Findings>(await penstock(['doctor', '--json', '--data', folder], port0), 3)
    expect(statusOf(findings, 'schema')).toBe('fail')
  })
})

interface Findings {
  readonly ok: boolean
  readonly data: readonly { name: string; status: string; detail: string; advice: string | null }[]
}

const port0 = { environment: { PENSTOCK_PORT: '0' } }

function statusOf(findings: Findings['data'], name: string): string | undefined {
  return findings.find((finding) => finding.name === name)?.status
}

describe('doctor', () => {
  it('finds a running box in order', async () => {
    const { port } = new URL(box.url)
    const report = parse<Findings>(await penstock(['doctor', '--json', '--data', box.dataFolder, '--port', port]))
    expect(report.ok).toBe(true)
    expect(report.data.map(({ name }) => name)).toEqual([
      'node',
      'http',
      'database',
      'data folder',
      'disk',
      'flush',
      'schema',
      'writer',
      'courier',
      'port',
    ])
    expect(
      report.data.filter(
        ({ name, status }) => status === 'fail' || (status === 'warn' && !['http', 'disk', 'flush'].includes(name)),
      ),
    ).toEqual([])
    const said = new Map(report.data.map(({ name, detail }) => [name, detail]))
    expect(said.get('writer')).toBe('a writer runs on this data folder')
    expect(said.get('courier')).toBe('a courier runs on this data folder')
    expect(said.get('port')).toContain('is ready')
    expect(said.get('database')).toMatch(/^SQLite 3\.\d+\.\d+$/)
    expect(readdirSync(box.dataFolder).filter((name) => name.includes('doctor'))).toEqual([])
  })

  it('fails, saying what to do, where a stranger has the port and the folder is a file', async () => {
    const stranger = createServer((_, response) => response.end('hello')).listen(0, '127.0.0.1')
    await once(stranger, 'listening')
    const { port } = stranger.address() as { port: number }
    writeFileSync(join(folder, 'file'), '')
    const options = { environment: { PENSTOCK_PORT: String(port), PENSTOCK_DATA: join(folder, 'file') } }
    const { code, stdout } = await penstock(['doctor'], options)
    stranger.close()
    expect(code).toBe(3)
    expect(stdout).toMatch(/^fail {2}port +.*EADDRINUSE.*\n +Another program has it/m)
    expect(stdout).toMatch(/^fail {2}data folder .*file/m)
  })

  it('warns where other users may read the keys', async () => {
    const data = join(folder, 'data')
    mkdirSync(data, { mode: 0o700 })
    expect(
      statusOf(parse<Findings>(await penstock(['doctor', '--json', '--data', data], port0)).data, 'data folder'),
    ).toBe('ok')
    chmodSync(data, 0o755)
    const { data: findings } = parse<Findings>(await penstock(['doctor', '--json', '--data', data], port0))
    expect(findings.find(({ name }) => name === 'data folder')).toMatchObject({
      status: 'warn',
      advice: `chmod go= ${data}`,
    })
    expect(statusOf(findings, 'schema')).toBe('ok')
  })
})

it('start goes on, and stops in order, when nobody reads what it prints any more', async () => {
  const { PATH = '', HOME = '' } = process.env
  const settings = { PENSTOCK_DATA: join(folder, 'data'), PENSTOCK_PORT: '0', PENSTOCK_HTTP_PROCESSES: '1' }
  const cli = fileURLToPath(new URL('../../cli/main.ts', import.meta.url))
  const child = spawn(process.execPath, [cli, 'start', '--no-seed'], {
    env: { PATH, HOME, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  try {
    const exited = once(child, 'exit')
    let printed = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text
    })
    await poll('the box is open', 15_000, () => printed.includes('Ctrl-C stops'))
    child.stdout.destroy()
    child.stderr.destroy()
    child.kill('SIGTERM')
    expect(await exited).toEqual([0, null])
  } finally {
    child.kill('SIGKILL')
  }
})

it('start --json prints one object on stdout, and the log on stderr', async () => {
  const { Program } = await import('../program.ts')
  const program = Program.start('cli', ['start', '--no-seed', '--json'], {
    PENSTOCK_DATA: join(folder, 'data'),
    PENSTOCK_PORT: '0',
    PENSTOCK_HTTP_PROCESSES: '1',
  })
  await program.ready()
  const [object] = await program.printed(/^\{\n[^]*?^\}\n/m)
  expect(JSON.parse(object)).toEqual({
    object: 'box',
    url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) as unknown,
    secret_key: expect.stringMatching(/^sk_test_/) as unknown,
    publishable_key: expect.stringMatching(/^pk_test_/) as unknown,
    data: join(folder, 'data'),
    demo_drop: null,
  })
  expect(await program.stop()).toEqual({ code: 0, signal: null })
})
