import { randomUUID } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { resources, scopes as allScopes } from '@penstock/domain/api-key.ts'
import { idPattern } from '@penstock/domain/id.ts'
import { Box } from '../box.ts'
import { Client } from '../client.ts'
import { expectProblem, expectRefusal } from './expect-problem.ts'
import { expectStatus, minimalDrop, nowSeconds, openDrop, poll, present, takeHold } from './shop.ts'
import type { Answer, Session } from '../client.ts'
import type { WireApiKey, WireList } from '../wire-types.ts'

/** Enough new connections that every HTTP process gets some: all on one has a chance of 2^-23. */
const manyConnections = 24
const none = '00000000000000000000000000'

/** Makes keys through the API of one box, and clients that use them. */
class KeyShop {
  readonly box: Box
  readonly seller: Client
  readonly session: Session = { seq: 0 }
  readonly #clients: Client[] = []

  constructor(box: Box) {
    this.box = box
    this.seller = this.client(box.secretKey)
  }

  /** A new connection for every request, so that they spread over the HTTP processes. */
  client(secret: string): Client {
    const client = new Client(this.box.url, secret, { connections: 0, session: this.session })
    this.#clients.push(client)
    return client
  }

  async create(fields: object = {}): Promise<WireApiKey & { readonly secret: string }> {
    return withSecret(await this.seller.post<WireApiKey>('/v1/api_keys', { kind: 'secret', ...fields }))
  }

  async roll(id: string, overlap: number): Promise<WireApiKey & { readonly secret: string }> {
    return withSecret(await this.seller.post<WireApiKey>(`/v1/api_keys/${id}/roll`, { overlap }))
  }

  async revoke(id: string): Promise<WireApiKey> {
    return expectStatus(await this.seller.post<WireApiKey>(`/v1/api_keys/${id}/revoke`), 200).body
  }

  async find(id: string): Promise<WireApiKey> {
    return expectStatus(await this.seller.get<WireApiKey>(`/v1/api_keys/${id}`), 200).body
  }

  /** The key that the box started with. */
  async bootstrap(): Promise<WireApiKey> {
    const { data } = (await this.seller.get<WireList<WireApiKey>>('/v1/api_keys?limit=100')).body
    const found = data.find(({ hint }) => hint === `sk_test_…${this.box.secretKey.slice(-4)}`)
    return present(found, 'the bootstrap key')
  }

  /** The different statuses that every HTTP process answers a read with this key, once all know of every commit so far. */
  async statuses(secret: string): Promise<number[]> {
    const many = (client: Client): Promise<Answer<unknown>[]> =>
      Promise.all(Array.from({ length: manyConnections }, () => client.get('/v1/drops')))
    for (const answer of await many(this.seller)) expectStatus(answer, 200)
    const answers = await many(this.client(secret))
    return [...new Set(answers.map(({ status }) => status))]
  }

  close(): void {
    for (const client of this.#clients) client.close()
  }
}

function withSecret(answer: Answer<WireApiKey>): WireApiKey & { readonly secret: string } {
  const { body } = expectStatus(answer, 201)
  return { ...body, secret: present(body.secret, 'the secret of a new key') }
}

describe.each(['uws', 'node'] as const)('API keys on %s', (transport) => {
  let box: Box
  let shop: KeyShop
  let browser: Client

  beforeAll(async () => {
    box = await Box.start({ transport, httpProcesses: 2 })
    shop = new KeyShop(box)
    browser = shop.client(box.publishableKey)
  })

  afterAll(async () => {
    shop.close()
    await box.stop()
  })

  it('are created with every field of the shape, and show their secret once', async () => {
    const fields = {
      kind: 'secret',
      name: 'Wärehouse',
      scopes: ['orders:read', 'codes:write'],
      expires_at: 2_000_000_000,
    }
    const made = await shop.create(fields)
    expect(made).toStrictEqual({
      ...fields,
      id: expect.stringMatching(new RegExp(idPattern('key'))) as unknown,
      object: 'api_key',
      hint: `sk_test_…${made.secret.slice(-4)}`,
      secret: expect.stringMatching(/^sk_test_[\w-]{32}$/) as unknown,
      created: made.created,
      revoked_at: null,
      last_used_at: null,
    })
    expect(Math.abs(made.created - nowSeconds())).toBeLessThan(3_600)
    const { secret, ...shown } = made
    expect(await shop.find(made.id)).toStrictEqual(shown)
    const { text, body } = await shop.seller.get<WireList<WireApiKey>>('/v1/api_keys?limit=1')
    expect(body).toMatchObject({ object: 'list', data: [shown], has_more: true })
    expect(text).not.toContain(secret)
  })

  it('have defaults for what is left out', async () => {
    expect(await shop.create()).toMatchObject({ name: null, scopes: ['*'], expires_at: null })
    const publishable = await shop.create({ kind: 'publishable' })
    expect(publishable).toMatchObject({ scopes: [], hint: `pk_test_…${publishable.secret.slice(-4)}` })
    expect(publishable.secret).toMatch(/^pk_test_[\w-]{32}$/)
  })

  it('are listed newest first, in pages, the first ones of the box last', async () => {
    const made = [await shop.create(), await shop.create(), await shop.create()].map(({ id }) => id).toReversed()
    const list = async (query: string): Promise<WireList<WireApiKey>> =>
      expectStatus(await shop.seller.get<WireList<WireApiKey>>(`/v1/api_keys?${query}`), 200).body
    const ids = (page: WireList<WireApiKey>): string[] => page.data.map(({ id }) => id)
    expect(ids(await list('limit=2'))).toEqual(made.slice(0, 2))
    expect(ids(await list(`limit=1&starting_after=${made[0]}`))).toEqual([made[1]])
    expect(await list(`limit=1&ending_before=${made[2]}`)).toMatchObject({ data: [{ id: made[1] }], has_more: true })
    expect(await list(`limit=2&ending_before=${made[2]}`)).toMatchObject({ has_more: false })
    const all = await list('limit=100')
    expect(all.has_more).toBe(false)
    expect(
      all.data
        .slice(-2)
        .map(({ kind }) => kind)
        .toSorted(),
    ).toEqual(['publishable', 'secret'])
  })

  it('live from their creation over two rolls to their revocation, in every HTTP process at once', async () => {
    const first = await shop.create({ name: 'Till', scopes: ['drops:read'] })
    expect(await shop.statuses(first.secret)).toEqual([200])
    const second = await shop.roll(first.id, 3_600)
    expect(second).toMatchObject({ name: 'Till', scopes: ['drops:read'], expires_at: null, last_used_at: null })
    expect(second.id).not.toBe(first.id)
    const { expires_at: endsAt } = await shop.find(first.id)
    expect(present(endsAt, 'the end of the old key') - second.created).toBe(3_600)
    expect(await shop.statuses(first.secret)).toEqual([200])
    expect(await shop.statuses(second.secret)).toEqual([200])
    const third = await shop.roll(second.id, 0)
    expect(await shop.statuses(second.secret)).toEqual([401])
    expect(await shop.statuses(third.secret)).toEqual([200])
    expect(await shop.statuses(first.secret)).toEqual([200])
    expect((await shop.revoke(third.id)).revoked_at).not.toBeNull()
    expect(await shop.statuses(third.secret)).toEqual([401])
    // A publishable key ends like a secret one.
    const publishable = await shop.create({ kind: 'publishable' })
    expect(await shop.statuses(publishable.secret)).toEqual([200])
    await shop.revoke(publishable.id)
    expect(await shop.statuses(publishable.secret)).toEqual([401])
  })

  it('end when they expire', async () => {
    const made = await shop.create({ expires_at: nowSeconds() + 2 })
    const client = shop.client(made.secret)
    expectStatus(await client.get('/v1/drops'), 200)
    await poll('the end of the key', 10_000, async () => (await client.get('/v1/drops')).status === 401)
    expect(nowSeconds()).toBeGreaterThanOrEqual(present(made.expires_at, 'the expiry'))
    expectProblem(await shop.seller.post(`/v1/api_keys/${made.id}/roll`), 409, 'invalid_transition', 'id')
  })

  it('are rolled with an overlap of a day when none is given', async () => {
    const made = await shop.create()
    const rolled = withSecret(await shop.seller.post<WireApiKey>(`/v1/api_keys/${made.id}/roll`))
    expect(present((await shop.find(made.id)).expires_at, 'the end') - rolled.created).toBe(86_400)
  })

  it('are nowhere in the database but as hashes', async () => {
    const key = { 'idempotency-key': randomUUID() }
    const { secret, id } = withSecret(await shop.seller.post<WireApiKey>('/v1/api_keys', { kind: 'secret' }, key))
    const rolled = await shop.roll(id, 60)
    for (const each of [secret, rolled.secret]) expect(await shop.statuses(each)).toEqual([200])
    await shop.revoke(rolled.id)
    const files = readdirSync(box.dataFolder).filter((name) => name.startsWith('penstock.db'))
    expect(files).toContain('penstock.db-wal')
    const found = files.map((name) => readFileSync(join(box.dataFolder, name)))
    for (const bytes of found) {
      for (const each of [secret, rolled.secret, box.secretKey]) expect(bytes.includes(each.slice(8))).toBe(false)
    }
    expect(found.some((bytes) => bytes.includes(id))).toBe(true)
    expect(box.output).not.toContain(secret)
  })

  it('are made once by one Idempotency-Key: a replay knows the key but not its secret', async () => {
    const headers = { 'idempotency-key': randomUUID() }
    const replays = async (path: string, body: object): Promise<string> => {
      const { secret, ...shown } = withSecret(await shop.seller.post<WireApiKey>(path, body, headers))
      expect(await shop.statuses(secret)).toEqual([200])
      for (let count = 0; count < 4; count++) {
        const again = await shop.seller.post<WireApiKey>(path, body, headers)
        expect([again.status, again.headers['idempotent-replayed']]).toEqual([201, 'true'])
        expect(again.body).toStrictEqual(shown)
      }
      return shown.id
    }
    const id = await replays('/v1/api_keys', { kind: 'secret', name: 'Once' })
    const newest = (await shop.seller.get<WireList<WireApiKey>>('/v1/api_keys?limit=1')).body
    expect(newest.data[0]?.id).toBe(id)
    await replays(`/v1/api_keys/${id}/roll`, { overlap: 60 })
    const other = await shop.seller.post('/v1/api_keys', { kind: 'secret', name: 'Twice' }, headers)
    expectProblem(other, 422, 'key_reused', null)
  })

  it('are revoked again without harm', async () => {
    const { id } = await shop.create()
    const first = await shop.revoke(id)
    expect(await shop.revoke(id)).toStrictEqual(first)
    expectProblem(await shop.seller.post(`/v1/api_keys/${id}/roll`), 409, 'invalid_transition', 'id')
  })

  it('say when they were last used, once an HTTP process reported it', async () => {
    const made = await shop.create()
    const usedAt = nowSeconds()
    expect(await shop.statuses(made.secret)).toEqual([200])
    expect((await shop.find(made.id)).last_used_at).toBeNull()
    // A process that stops reports; the supervisor starts another.
    const [pid] = box.pids.http
    process.kill(present(pid, 'an HTTP process'), 'SIGTERM')
    const used = await poll('the report', 10_000, async () => {
      // The stopping process closes connections.
      const answer = await shop.seller.get<WireApiKey>(`/v1/api_keys/${made.id}`).catch(() => null)
      return answer?.body.last_used_at
    })
    expect(used - usedAt).toBeGreaterThanOrEqual(0)
    expect(used - usedAt).toBeLessThan(10)
    await box.until(({ pids }) => pids.http.every((each) => each !== null && each !== pid))
  })

  describe('refuse', () => {
    const path = '/v1/api_keys'
    const valid = { kind: 'secret' }
    const anyKey = 'key'
    const idempotencyKey = { 'idempotency-key': 'x'.repeat(256) }
    const isBad = { 'content-type': 'text/plain' }

    /** Each row breaks what its own refusal is about and everything behind it. */
    it('to be created, in order of precedence', async () => {
      const limited = shop.client((await shop.create({ scopes: ['api_keys:write'] })).secret)
      const other = shop.client((await shop.create({ scopes: ['api_keys:read', 'drops:write'] })).secret)
      const past = { kind: 'secret', expires_at: 1 }
      const huge = { kind: 'secret', name: 'x'.repeat(300_000) }
      const send = (client: Client, body: object, headers = {}): Promise<Answer<unknown>> =>
        client.post(path, body, headers)
      expectProblem(await send(shop.client('sk_test_unknown'), huge), 401, 'unauthorized', null)
      expectProblem(await send(browser, huge), 403, 'forbidden', null)
      const lacking = await send(other, huge)
      expectProblem(lacking, 403, 'forbidden', null)
      expect(expectRefusal(lacking).detail).toContain('api_keys:write')
      expectProblem(await send(limited, huge, idempotencyKey), 413, 'body_too_large', null)
      const badKey = await send(limited, {}, { ...idempotencyKey, ...isBad })
      expectProblem(badKey, 400, 'invalid_idempotency_key', 'Idempotency-Key')
      expectProblem(await send(limited, {}, isBad), 415, 'unsupported_media_type', null)
      expectProblem(await send(limited, { expires_at: 1 }), 400, 'invalid_request', 'kind')
      const scoped = { kind: 'publishable', scopes: ['*'], expires_at: 1 }
      expectProblem(await send(limited, scoped), 400, 'invalid_request', 'scopes')
      const escalated = await send(limited, past)
      expectProblem(escalated, 403, 'forbidden', 'scopes')
      expect(expectRefusal(escalated).detail).toContain('scope *')
      const more = await send(limited, { ...valid, scopes: ['api_keys:write', 'drops:read'] })
      expect(expectRefusal(more).detail).toContain('scope drops:read')
      expectProblem(await send(shop.seller, past), 400, 'invalid_request', 'expires_at')
      expectStatus(await send(limited, { ...valid, scopes: ['api_keys:write'] }), 201)
      expectStatus(await send(limited, { kind: 'publishable' }), 201)
    })

    it('to be rolled, in order of precedence', async () => {
      const limited = shop.client((await shop.create({ scopes: ['api_keys:write'] })).secret)
      const revoked = await shop.create()
      await shop.revoke(revoked.id)
      const roll = (client: Client, id: string, body: object = {}): Promise<Answer<unknown>> =>
        client.post(`${path}/${id}/roll`, body)
      const tooLong = { overlap: 604_801 }
      expectProblem(await roll(shop.client('sk_test_unknown'), anyKey, tooLong), 401, 'unauthorized', null)
      expectProblem(await roll(browser, anyKey, tooLong), 403, 'forbidden', null)
      expectProblem(await roll(limited, anyKey, tooLong), 400, 'invalid_request', 'overlap')
      expectProblem(await roll(limited, `key_${none}`), 404, 'not_found', 'id')
      expectProblem(await roll(limited, revoked.id), 403, 'forbidden', null)
      expectProblem(await roll(shop.seller, revoked.id), 409, 'invalid_transition', 'id')
    })

    it('to be revoked, in order of precedence', async () => {
      const reader = shop.client((await shop.create({ scopes: ['api_keys:read'] })).secret)
      const revoke = (client: Client, id: string, body: object = {}): Promise<Answer<unknown>> =>
        client.post(`${path}/${id}/revoke`, body)
      expectProblem(await revoke(shop.client(''), anyKey, { x: 1 }), 401, 'unauthorized', null)
      expectProblem(await revoke(browser, anyKey, { x: 1 }), 403, 'forbidden', null)
      expectProblem(await revoke(reader, anyKey, { x: 1 }), 403, 'forbidden', null)
      expectProblem(await revoke(shop.seller, anyKey, { x: 1 }), 400, 'invalid_request', 'x')
      expectProblem(await revoke(shop.seller, anyKey), 404, 'not_found', 'id')
    })

    it('to be read, in order of precedence', async () => {
      const writer = shop.client((await shop.create({ scopes: ['api_keys:write'] })).secret)
      for (const at of [`${path}?limit=0`, `${path}/${anyKey}`]) {
        expectProblem(await shop.client('pk_test_unknown').get(at), 401, 'unauthorized', null)
        expectProblem(await browser.get(at), 403, 'forbidden', null)
        expectProblem(await writer.get(at), 403, 'forbidden', null)
      }
      expectProblem(await shop.seller.get(`${path}?limit=0`), 400, 'invalid_request', 'limit')
      expectProblem(
        await shop.seller.get(`${path}?starting_after=ord_${none}`),
        400,
        'invalid_request',
        'starting_after',
      )
      expectProblem(await shop.seller.get(`${path}/${anyKey}`), 404, 'not_found', 'id')
    })
  })

  describe('need the scope of a route', () => {
    const hold = { drop: `drop_${none}`, lines: [{ sku: `sku_${none}`, quantity: 1 }], customer: { email: 'a@b' } }
    const payment = { hold: `hold_${none}`, provider: 'manual', amount: 1, currency: 'usd' }
    /** Method, path, body, the scope. */
    const routes: [string, string, object | undefined, string][] = [
      ['GET', '/v1/drops', undefined, 'drops:read'],
      ['GET', `/v1/drops/drop_${none}`, undefined, 'drops:read'],
      ['POST', '/v1/drops', minimalDrop, 'drops:write'],
      ['PATCH', `/v1/drops/drop_${none}`, {}, 'drops:write'],
      ...['publish', 'pause', 'resume', 'end', 'cancel'].map((action): [string, string, object, string] => [
        'POST',
        `/v1/drops/drop_${none}/${action}`,
        {},
        'drops:write',
      ]),
      ['POST', `/v1/drops/drop_${none}/restock`, { sku: `sku_${none}`, quantity: 1 }, 'drops:write'],
      ['POST', '/v1/holds', hold, 'holds:write'],
      ['GET', `/v1/holds/hold_${none}`, undefined, 'holds:read'],
      ['DELETE', `/v1/holds/hold_${none}`, undefined, 'holds:write'],
      ['POST', '/v1/payments', payment, 'payments:write'],
      ['GET', '/v1/orders', undefined, 'orders:read'],
      ['GET', `/v1/orders/ord_${none}`, undefined, 'orders:read'],
      ['POST', `/v1/holds/hold_${none}/erase`, {}, 'holds:write'],
      ['GET', `/v1/payments/pay_${none}`, undefined, 'payments:read'],
      ['POST', `/v1/payments/pay_${none}/attach`, { hold: `hold_${none}` }, 'payments:write'],
      ['POST', '/v1/refunds', { payment: `pay_${none}` }, 'refunds:write'],
      ['GET', `/v1/refunds/rfnd_${none}`, undefined, 'refunds:read'],
      ['POST', `/v1/refunds/rfnd_${none}/settle`, { status: 'failed' }, 'refunds:write'],
      ['POST', '/v1/disputes', { payment: `pay_${none}`, provider_dispute_id: 'd' }, 'disputes:write'],
      ['GET', `/v1/disputes/dsp_${none}`, undefined, 'disputes:read'],
      ['POST', `/v1/disputes/dsp_${none}/close`, { status: 'won' }, 'disputes:write'],
      ['POST', `/v1/orders/ord_${none}/cancel`, {}, 'orders:write'],
      ['POST', `/v1/orders/ord_${none}/fulfil`, {}, 'orders:write'],
      ['POST', `/v1/orders/ord_${none}/erase`, {}, 'orders:write'],
      ['POST', `/v1/codes/pc_${none}_0_${none.slice(0, 16)}/verify`, {}, 'codes:write'],
      ['GET', '/v1/ledger/balances', undefined, 'ledger:read'],
      ['GET', '/v1/api_keys', undefined, 'api_keys:read'],
      ['GET', `/v1/api_keys/key_${none}`, undefined, 'api_keys:read'],
      ['POST', '/v1/api_keys', { kind: 'publishable' }, 'api_keys:write'],
      ['POST', `/v1/api_keys/key_${none}/roll`, {}, 'api_keys:write'],
      ['POST', `/v1/api_keys/key_${none}/revoke`, {}, 'api_keys:write'],
    ]
    const clients = new Map<string, { only: Client; others: Client }>()

    beforeAll(async () => {
      expect(allScopes).toHaveLength(1 + 2 * resources.length)
      for (const scope of new Set(routes.map((route) => route[3]))) {
        const others = allScopes.filter((each) => each !== scope && each !== '*')
        clients.set(scope, {
          only: shop.client((await shop.create({ scopes: [scope] })).secret),
          others: shop.client((await shop.create({ scopes: others })).secret),
        })
      }
    })

    it.each(routes)('%s %s', async (method, path, body, scope) => {
      const { only, others } = present(clients.get(scope), scope)
      const sent = body === payment ? { ...body, provider_payment_id: randomUUID() } : body
      const bytes = sent === undefined ? undefined : JSON.stringify(sent)
      const refused = await others.send(method, path, bytes)
      expectProblem(refused, 403, 'forbidden', null)
      expect(expectRefusal(refused).detail).toBe(`This needs the scope ${scope}, which the key does not have.`)
      const withScope = await only.send(method, path, bytes)
      expect([200, 201, 404]).toContain(withScope.status)
    })

    it('and a publishable key has what it always had', async () => {
      const made = shop.client((await shop.create({ kind: 'publishable' })).secret)
      const drop = await openDrop(shop.seller)
      const held = await takeHold(made, drop)
      expectStatus(await made.get(`/v1/holds/${held.id}`, { 'penstock-client-secret': held.client_secret }), 200)
      expectProblem(await made.post('/v1/drops', minimalDrop), 403, 'forbidden', null)
    })
  })
})

describe('the API keys a box starts with', () => {
  it('can be revoked but for the last, stay so over starts, and leave keys of the API alone', async () => {
    const dataFolder = mkdtempSync(join(tmpdir(), 'penstock-keys-'))
    onTestFinished(() => rmSync(dataFolder, { recursive: true, force: true }))
    const start = async (environment: Record<string, string> = {}): Promise<KeyShop> => {
      const shop = new KeyShop(await Box.start({ dataFolder, httpProcesses: 2, environment }))
      onTestFinished(() => shop.close())
      return shop
    }
    const first = await start()
    const bootstrap = await first.bootstrap()
    const revoke = (client: Client): Promise<Answer<unknown>> => client.post(`/v1/api_keys/${bootstrap.id}/revoke`)
    const limited = await first.create({ scopes: ['drops:read', 'api_keys:read'] })
    expectProblem(await revoke(first.seller), 409, 'last_secret_key', 'id')
    const made = await first.create({ name: 'Mine' })
    expectStatus(await revoke(first.client(made.secret)), 200)
    expectProblem(await first.client(made.secret).post(`/v1/api_keys/${made.id}/revoke`), 409, 'last_secret_key', 'id')
    expectProblem(await first.seller.get('/v1/drops'), 401, 'unauthorized', null)
    await first.box.stop()

    const second = await start()
    expect(second.box.secretKey).toBe(first.box.secretKey)
    expectProblem(await second.seller.get('/v1/drops'), 401, 'unauthorized', null)
    expectStatus(await second.client(limited.secret).get('/v1/drops'), 200)
    const kept = await second.client(made.secret).get<WireApiKey>(`/v1/api_keys/${made.id}`)
    expect(kept.body).toMatchObject({ name: 'Mine', revoked_at: null })
    await second.box.stop()

    // The way back for who lost every key: another one in the environment.
    const third = await start({ PENSTOCK_SECRET_KEY: 'sk_test_a_new_key_for_the_start' })
    expectStatus(await third.seller.get('/v1/api_keys'), 200)
    expectProblem(await third.client(first.box.secretKey).get('/v1/drops'), 401, 'unauthorized', null)
    await third.box.stop()
  })
})
