import { hash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  exportDeadlineMs,
  exportRestMaxMs,
  exportRowsPerStep,
  exportsMax,
  scanRowsPerStep,
  slowListsMax,
  slowReadDeadlineMs,
} from '@penstock/domain/limits.ts'
import { decide } from '@penstock/engine/decide.ts'
import { dropCommand, endpointCommand, outcome, outcomesCommand, phaseCommand } from '@penstock/engine/test-sale.ts'
import { SqliteQueries } from '@penstock/store-sqlite/sqlite-queries.ts'
import { SqliteScanner } from '@penstock/store-sqlite/sqlite-scanner.ts'
import { SqliteStore } from '@penstock/store-sqlite/sqlite-store.ts'
import { Catalogue } from './catalogue.ts'
import { collectionNames, collections } from './collections.ts'
import { Credentials } from './credentials.ts'
import { exportBody, readExportPart } from './export-body.ts'
import { readListPage } from './list-page.ts'
import { LegacyDrops } from './legacy/legacy-drops.ts'
import { LiveDrops } from './live/live-drops.ts'
import { Mint } from './mint.ts'
import { NodeTransport } from './node-http.ts'
import { readPart } from './read-part.ts'
import { ProviderCalls } from './provider-calls.ts'
import { serveRoutes } from './routes/index.ts'
import { openSlowReads, SlowReadTimeout } from './slow-reads.ts'
import type { Command } from '@penstock/domain/command.ts'
import type { CollectionName, Selection } from '@penstock/store/scanner.ts'
import type { Part, PartRequest, ReadPart } from './read-part.ts'

const secretKey = 'sk_test_a_key_for_these_tests'
const publishableKey = 'pk_test_a_key_for_these_tests'

let folder = ''
let store: SqliteStore
let scanner: SqliteScanner
let queries: SqliteQueries
let transport: NodeTransport
let url = ''
let nowMs = 1_700_000_000_000
const clock = (): number => nowMs
const mint = new Mint(clock)
const dropId = mint.id('drop')
const endpointId = mint.id('webhook_endpoint')
const skuId = mint.id('sku')
let sold = 0
/** Of those with an order. */
const paymentIds: string[] = []
const logged: unknown[] = []

/** What the next steps do instead of reading; null: read. */
let instead: ((request: PartRequest) => Promise<Part>) | null = null
const steps: PartRequest[] = []
const readHere: ReadPart = (request) => {
  steps.push(request)
  return instead?.(request) ?? Promise.resolve(structuredClone(readPart(scanner, structuredClone(request))))
}

function run(...commands: readonly Command[]): void {
  store.transact(nowMs, (set) => commands.map((command) => decide(set, command, nowMs)))
}

/** Sales of one unit, one second each: all have a hold, two of three a payment. */
function sell(count: number): void {
  const commands: Command[] = []
  for (let index = 0; index < count; index++) {
    sold += 1
    const holdId = mint.id('hold')
    commands.push({
      kind: 'create_hold',
      key: null,
      holdId,
      clientSecret: mint.clientSecret(),
      dropId,
      lines: [{ skuId, quantity: 1 }],
      customer: {
        email: `buyer${sold % 3}@example.com`,
        phone: '+49 30 1',
        externalId: null,
        name: sold % 2 === 0 ? '=cmd|"x", Ada' : null,
        shippingAddress: null,
      },
      replace: null,
    })
    if (sold % 3 === 0) continue
    const paymentId = mint.id('payment')
    if (sold % 5 !== 0) paymentIds.push(paymentId)
    commands.push({
      kind: 'capture_payment',
      key: null,
      paymentId,
      holdId,
      provider: 'manual',
      providerPaymentId: `pi_${sold}`,
      amountMinor: sold % 5 === 0 ? 1 : 4_999,
      currency: 'usd',
    })
  }
  run(...commands)
  nowMs += 1_000
}

/** A cent of it is refunded, another disputed. */
function sendBack(paymentId: string): void {
  const [refundId, disputeId] = [mint.id('refund'), mint.id('dispute')]
  const own = { key: null, paymentId, amountMinor: 1, reason: '=1' }
  run(
    { ...own, kind: 'create_refund', refundId, lines: null, restock: false },
    { ...own, kind: 'open_dispute', disputeId, providerDisputeId: disputeId },
  )
  nowMs += 1_000
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'penstock-slow-reads-'))
  const path = join(folder, 'penstock.db')
  store = new SqliteStore(path)
  run(
    dropCommand({
      dropId,
      name: 'Friday drop',
      skus: [{ id: skuId, name: 'Size 42', unitAmountMinor: 4_999, stock: 1_000_000, maxPerOrder: null }],
    }),
    phaseCommand('publish', dropId),
  )
  for (let index = 0; index < 40; index++) sell(1)
  for (const paymentId of paymentIds.slice(0, 12)) sendBack(paymentId)
  const otherId = mint.id('webhook_endpoint')
  run(endpointCommand(endpointId), endpointCommand(otherId))
  for (const id of [endpointId, otherId]) {
    for (let seq = 1; seq < 15; seq++) {
      run(
        outcomesCommand({
          endpointId: id,
          outcomes: [outcome(seq, { status: seq % 2 === 0 ? 'pending' : 'succeeded' })],
        }),
      )
      nowMs += 1_000
    }
  }
  store.replaceBootstrapKeys(
    [
      { id: 'key_1', kind: 'secret', secretHash: hash('sha256', secretKey), hint: 'sk' },
      { id: 'key_2', kind: 'publishable', secretHash: hash('sha256', publishableKey), hint: 'pk' },
    ],
    nowMs,
  )
  scanner = new SqliteScanner(path)
  queries = new SqliteQueries(path)
  const catalogue = new Catalogue(queries, clock)
  catalogue.reload()
  transport = new NodeTransport((error) => logged.push(error))
  serveRoutes(transport, {
    queries,
    catalogue,
    writer: { submit: () => {}, isConnected: true } as never,
    credentials: new Credentials(queries, clock),
    mint,
    slowReads: openSlowReads(readHere, {
      isBusy: () => false,
      stopwatch: clock,
      rest: () => Promise.reject(new Error('nobody waits')),
    }),
    live: new LiveDrops(catalogue, clock),
    legacy: { isServed: true, drops: new LegacyDrops(catalogue), allowsUnsignedWebhooks: false },
    providers: {},
    providerCalls: new ProviderCalls(() => undefined),
    webhookUrlRules: { allowPrivate: false, httpsOnly: true },
    clock,
    log: (_, error) => logged.push(error),
  })
  url = `http://127.0.0.1:${await transport.listen('127.0.0.1', 0)}`
})
afterAll(async () => {
  await transport.close(0)
  for (const open of [scanner, queries, store]) open.close()
  rmSync(folder, { recursive: true })
})
beforeEach(() => {
  instead = null
  logged.length = 0
  steps.length = 0
})

function get(path: string, key = secretKey, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${url}${path}`, { headers: { ...(key === '' ? {} : { authorization: `Bearer ${key}` }), ...headers } })
}

interface List {
  readonly object: 'list'
  readonly data: readonly { readonly id: string }[]
  readonly has_more: boolean
  readonly scanned_to?: string
}

async function list(path: string): Promise<List> {
  const response = await get(path)
  expect(response.status).toBe(200)
  return (await response.json()) as List
}

const otherId: Record<CollectionName, string> = {
  holds: 'pay_01h455vb4pex5vsknk084sn02q',
  payments: 'hold_01h455vb4pex5vsknk084sn02q',
  orders: 'pay_01h455vb4pex5vsknk084sn02q',
  refunds: 'ord_01h455vb4pex5vsknk084sn02q',
  disputes: 'dsp_1',
  ledger_entries: 'pay_01h455vb4pex5vsknk084sn02q',
  events: 'le_7',
  webhook_deliveries: 'evt_7',
}
const ownId: Record<CollectionName, string> = {
  holds: 'hold_01h455vb4pex5vsknk084sn02q',
  payments: 'pay_01h455vb4pex5vsknk084sn02q',
  orders: 'ord_01h455vb4pex5vsknk084sn02q',
  refunds: 'rfnd_01h455vb4pex5vsknk084sn02q',
  disputes: 'dsp_01h455vb4pex5vsknk084sn02q',
  ledger_entries: 'le_7',
  events: 'evt_7',
  webhook_deliveries: 'whd_7',
}

/** A value each filter refuses. */
const wrongFilters: Record<CollectionName, readonly (readonly [name: string, value: string])[]> = {
  holds: [
    ['status', 'paid'],
    ['drop', 'drop_1'],
    ['customer_email', ''],
    ['q', 'x'.repeat(201)],
  ],
  payments: [
    ['status', 'active'],
    ['hold', 'pay_01h455vb4pex5vsknk084sn02q'],
    ['order', ''],
    ['q', ''],
  ],
  orders: [
    ['status', 'captured'],
    ['drop', '1'],
    ['payment', 'ord_01h455vb4pex5vsknk084sn02q'],
    ['customer_email', 'x'.repeat(255)],
    ['q', ''],
  ],
  refunds: [
    ['status', 'paid'],
    ['payment', 'pay_1'],
    ['order', 'rfnd_01h455vb4pex5vsknk084sn02q'],
  ],
  disputes: [
    ['status', 'pending'],
    ['payment', ''],
  ],
  ledger_entries: [
    ['payment', 'le_1'],
    ['account', ''],
  ],
  events: [
    ['type', 'payment'],
    ['object_id', ''],
  ],
  webhook_deliveries: [
    ['endpoint', 'whe_1'],
    ['event', '7'],
    ['status', 'sent'],
  ],
}

type Refusal = readonly [query: string, param: string]

function created(): readonly Refusal[] {
  return [
    ['created_from=1.5', 'created_from'],
    ['created_from=-1&created_to=x', 'created_from'],
    ['created_to=100000000001', 'created_to'],
    ['created_from=2&created_to=1&', 'created_to'],
  ]
}

function wrong(name: CollectionName): readonly Refusal[] {
  return wrongFilters[name].map(([filter, value]) => [`${filter}=${value}`, filter])
}

/** In order of precedence: each query has what the next ones are refused for as well. */
function listRefusals(name: CollectionName): readonly Refusal[] {
  const filters = wrong(name)
  const last = filters.map(([query]) => query).join('&')
  return [
    [`nothing=1&limit=0&${last}`, 'nothing'],
    [`limit=5&limit=6&starting_after=${otherId[name]}&${last}`, 'limit'],
    [`limit=0&starting_after=x&ending_before=y&${last}`, 'limit'],
    [`limit=101&${last}`, 'limit'],
    [`limit=1e1&${last}`, 'limit'],
    [`starting_after=${otherId[name]}&ending_before=${otherId[name]}&${last}`, 'ending_before'],
    [`starting_after=${otherId[name]}&created_from=x&${last}`, 'starting_after'],
    [`ending_before=${ownId[name]}x&created_from=x&${last}`, 'ending_before'],
    ...created().map(([query, param]) => [`${query}&${last}`, param] as const),
    ...filters,
  ]
}

function exportRefusals(name: CollectionName): readonly Refusal[] {
  const filters = wrong(name)
  const last = filters.map(([query]) => query).join('&')
  return [
    [`limit=5&format=xml&${last}`, 'limit'],
    [`starting_after=${ownId[name]}&${last}`, 'starting_after'],
    [`format=csv&format=csv&${last}`, 'format'],
    [`format=xml&created_from=x&${last}`, 'format'],
    ...created().map(([query, param]) => [`${query}&${last}`, param] as const),
    ...filters,
  ]
}

async function problemOf(response: Response): Promise<Record<string, unknown>> {
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  return (await response.json()) as Record<string, unknown>
}

const routes = collectionNames.flatMap((name) => [
  { name, path: collections[name].path, gate: slowListsMax, refusals: listRefusals(name) },
  { name, path: `/v1/exports/${name}`, gate: exportsMax, refusals: exportRefusals(name) },
])

describe.each(routes)('GET $path refuses, in this order,', ({ path, refusals, gate }) => {
  it('no key, a wrong key, a publishable key', async () => {
    const rest = '?nothing=1'
    const seq = { 'penstock-min-seq': 'x' }
    expect(await problemOf(await get(path + rest, '', seq))).toMatchObject({ status: 401, code: 'unauthorized' })
    expect(await problemOf(await get(path + rest, 'sk_test_x', seq))).toMatchObject({ status: 401 })
    expect(await problemOf(await get(path + rest, publishableKey, seq))).toMatchObject({
      status: 403,
      code: 'forbidden',
    })
    expect(steps).toEqual([])
  })

  it('a malformed Penstock-Min-Seq', async () => {
    const answer = await problemOf(await get(`${path}?nothing=1`, secretKey, { 'penstock-min-seq': 'x' }))
    expect(answer).toMatchObject({ status: 400, code: 'invalid_request', param: 'Penstock-Min-Seq' })
  })

  it.each(refusals)('%s for %s', async (query, param) => {
    const answer = await problemOf(await get(`${path}?${query}`))
    expect(answer).toMatchObject({ status: 400, code: 'invalid_request', param })
    expect(steps).toEqual([])
  })

  it('more at once than there is room for, retryably, and lets others in when one is done', async () => {
    const go = Promise.withResolvers<null>()
    instead = async (request) => {
      await go.promise
      return readPart(scanner, request)
    }
    const inside = Array.from({ length: gate }, () => get(path))
    while (steps.length < gate) await get('/healthz')
    const refused = await get(path)
    expect(refused.headers.get('retry-after')).toBe('1')
    expect(await problemOf(refused)).toMatchObject({ status: 503, code: 'overloaded', retryable: true })
    go.resolve(null)
    for (const response of await Promise.all(inside)) {
      expect(response.status).toBe(200)
      await response.text()
    }
    expect((await get(path)).status).toBe(200)
  })

  it('what is not read in time, retryably', async () => {
    instead = () => Promise.reject(new SlowReadTimeout('too long'))
    const refused = await get(path)
    expect(refused.headers.get('retry-after')).toBe('1')
    expect(await problemOf(refused)).toMatchObject({ status: 503, code: 'read_timeout', retryable: true })
    expect(logged).toHaveLength(1)
    instead = () => Promise.reject(new Error('a bug'))
    expect(await problemOf(await get(path))).toMatchObject({ status: 500, code: 'internal_error' })
    instead = null
    expect((await get(path)).status).toBe(200)
  })
})

/** Filters that find some, but not all, of what is there. */
const someFilters: Record<CollectionName, readonly string[]> = {
  holds: ['', 'status=active', 'status=captured', 'customer_email=BUYER1@example.com', 'q=cmd'],
  payments: ['', 'status=captured', 'status=refund_due', 'q=PI_1'],
  orders: ['', `drop=${dropId}`, 'customer_email=buyer2@example.com', 'q=buyer1&status=paid'],
  refunds: ['', 'status=succeeded'],
  disputes: ['', 'status=open'],
  ledger_entries: ['', 'account=sales', 'account=disputes'],
  events: ['', 'type=payment.captured', 'type=refund.created'],
  webhook_deliveries: ['', 'status=pending', `endpoint=${endpointId}`],
}

describe.each(collectionNames)('%s', (name) => {
  const { path } = collections[name]

  async function all(filter: string): Promise<readonly { readonly id: string }[]> {
    const { data, has_more } = await list(`${path}?limit=100&${filter}`)
    expect(has_more).toBe(false)
    return data
  }

  it.each(someFilters[name])('are paged forward and backward with "%s", each once', async (filter) => {
    const whole = (await all(filter)).map(({ id }) => id)
    expect(whole.length).toBeGreaterThan(filter === '' ? 10 : 3)
    for (const limit of [1, 3, whole.length - 1, whole.length, whole.length + 1]) {
      const forward: string[] = []
      let pages = 0
      for (let cursor = ''; ; cursor = `&starting_after=${forward.at(-1) ?? ''}`) {
        const page = await list(`${path}?limit=${limit}&${filter}${cursor}`)
        forward.push(...page.data.map(({ id }) => id))
        pages += 1
        if (!page.has_more) break
        expect(page.data).toHaveLength(limit)
      }
      expect([pages, forward]).toEqual([Math.ceil(whole.length / limit), whole])
      const backward: string[] = [whole.at(-1) ?? '']
      for (;;) {
        const page = await list(`${path}?limit=${limit}&${filter}&ending_before=${backward[0] ?? ''}`)
        backward.unshift(...page.data.map(({ id }) => id))
        if (!page.has_more) break
      }
      expect(backward).toEqual(whole)
    }
  })

  it('can be asked for by time, both seconds included', async () => {
    const everything = (await all('')) as readonly { readonly id: string; readonly created: number }[]
    const times = everything.map((object) => object.created)
    const [from = 0, to = 0] = [times.at(-5), times[3]]
    const wanted = everything.filter(({ created: time }) => time >= from && time <= to)
    expect(await all(`created_from=${from}&created_to=${to}`)).toEqual(wanted)
    expect(wanted.length).toBeGreaterThan(3)
    expect(wanted.length).toBeLessThan(everything.length - 3)
    const second = everything.filter(({ created: time }) => time === from)
    expect(await all(`created_from=${from}&created_to=${from}`)).toEqual(second)
    expect(second.length).toBeGreaterThan(0)
    expect(await all(`created_from=${(times[0] ?? 0) + 1}`)).toEqual([])
  })

  it.each(someFilters[name])('are exported as the list with "%s" shows them', async (filter) => {
    const whole = await all(filter)
    const response = await get(`/v1/exports/${name}?format=ndjson&${filter}`)
    expect(response.headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8')
    expect(response.headers.get('content-disposition')).toMatch(
      new RegExp(`^attachment; filename="${name}-\\d{8}T\\d{6}Z.ndjson"$`),
    )
    const lines = (await response.text()).split('\n')
    expect(lines.pop()).toBe('')
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(whole)
    const csv = await get(`/v1/exports/${name}?${filter}`)
    expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present')
    const [header, ...rows] = (await csv.text()).split('\r\n')
    expect(header?.split(',')).toEqual(collections[name].csvHeader)
    expect(rows.pop()).toBe('')
    expect(rows.map((row) => row.split(',')[0])).toEqual(whole.map(({ id }) => id))
  })
})

describe('GET /v1/drops', () => {
  it.each<[query: string, found: number]>([
    ['q=FRIDAY', 1],
    [`q=${dropId.slice(5)}`, 1],
    ['q=monday', 0],
    ['created_from=1700000000&created_to=1700000000', 1],
    ['created_from=1700000001', 0],
    ['created_to=1699999999', 0],
    ['status=live&q=drop', 1],
    ['status=ended&q=drop', 0],
  ])('with %s finds %i', async (query, found) => {
    expect((await list(`/v1/drops?${query}`)).data).toHaveLength(found)
  })

  it.each<Refusal>([...created(), ['q=', 'q'], [`q=${'x'.repeat(201)}`, 'q'], ['status=x&q=', 'status']])(
    'refuses %s for %s',
    async (query, param) => {
      const answer = await problemOf(await get(`/v1/drops?${query}`))
      expect(answer).toMatchObject({ status: 400, code: 'invalid_request', param })
    },
  )
})

it('a CSV of orders has amounts in minor units and as people write them, ISO times, and no formulas', async () => {
  const [order] = (await list('/v1/orders?limit=1&q=cmd')).data
  const { id, ...rest } = order as { id: string; created: number; hold: string; payment: string }
  const lines = (await (await get(`/v1/exports/orders?q=cmd`)).text()).split('\r\n')
  const time = new Date(rest.created * 1_000).toISOString().replace('.000', '')
  expect(lines[1]).toBe(
    `${id},paid,${dropId},${time},4999,usd,49.99 USD,0,0,,,1,${skuId}:1,${rest.hold},${rest.payment},` +
      `${lines[1]?.match(/buyer\d@example.com/)?.[0] ?? ''},"'=cmd|""x"", Ada",'+49 30 1,,,,,,,`,
  )
})

const everything = (collection: CollectionName, fields: Partial<Selection> = {}): Selection => ({
  collection,
  filters: {},
  createdFromMs: null,
  createdBeforeMs: null,
  nowMs,
  ...fields,
})

describe('readListPage', () => {
  const page = { limit: 3, startingAfter: null, endingBefore: null }
  const yes = (): boolean => true
  const part = (items: readonly string[], scannedTo: string | null): Part => ({
    items,
    bytes: new Uint8Array(),
    scannedTo,
  })
  /** Answers with these parts, and remembers what was asked. */
  function scripted(...parts: readonly Part[]) {
    const asked: PartRequest[] = []
    const read: ReadPart = (request) => {
      asked.push(request)
      return Promise.resolve(parts[asked.length - 1] ?? part([], null))
    }
    return { asked, read }
  }

  it('goes on where a step ended, for what is still missing, and drops the one too many', async () => {
    const { asked, read } = scripted(part(['1'], 'a'), part([], 'b'), part(['2', '3', '4'], 'c'))
    const found = await readListPage(read, everything('orders'), { ...page, startingAfter: 'x' }, clock, yes)
    expect(found).toEqual({ items: ['1', '2', '3'], hasMore: true, scannedTo: null })
    expect(asked.map(({ after, matchesMax }) => [after, matchesMax])).toEqual([
      ['x', 4],
      ['a', 3],
      ['b', 3],
    ])
    expect(asked.map(({ direction, rowsMax }) => [direction, rowsMax])).toEqual(
      asked.map(() => ['newest_first', scanRowsPerStep]),
    )
  })

  it('reads backward from ending_before and turns the page round', async () => {
    const { asked, read } = scripted(part(['1', '2'], 'a'), part(['3', '4'], 'b'))
    const found = await readListPage(read, everything('orders'), { ...page, endingBefore: 'x' }, clock, yes)
    expect(found).toEqual({ items: ['3', '2', '1'], hasMore: true, scannedTo: null })
    expect(asked.map(({ after, direction }) => [after, direction])).toEqual([
      ['x', 'oldest_first'],
      ['a', 'oldest_first'],
    ])
  })

  it('answers with what it found when time is up, and says where to go on', async () => {
    const { asked, read } = scripted(part(['1'], 'a'), part([], 'b'), part(['2'], 'c'))
    let elapsedMs = 0
    const slowly = (): number => (elapsedMs += slowReadDeadlineMs / 2)
    const found = await readListPage(read, everything('orders'), page, slowly, yes)
    expect(found).toEqual({ items: ['1'], hasMore: true, scannedTo: 'b' })
    expect(asked).toHaveLength(2)
  })

  it('reads no further when nobody waits any more', async () => {
    const { asked, read } = scripted(part([], 'a'), part(['1'], 'b'))
    await readListPage(read, everything('orders'), page, clock, () => false)
    expect(asked).toHaveLength(1)
  })

  it('gives a page that time cut short over HTTP, with the place to go on from', async () => {
    const last = (await list('/v1/holds?limit=3')).data[2]?.id ?? ''
    instead = () => {
      nowMs += slowReadDeadlineMs
      return Promise.resolve(part(['{"id":"x"}'], last))
    }
    const cut = await list('/v1/holds?limit=3')
    expect(cut).toEqual({ object: 'list', data: [{ id: 'x' }], has_more: true, scanned_to: last })
    instead = null
    const rest = await list(`/v1/holds?limit=3&starting_after=${cut.scanned_to ?? ''}`)
    expect(rest.data[0]).toEqual((await list('/v1/holds?limit=4')).data[3])
  })
})

it('paging through any filter gives what was there when it began exactly once, while sales go on', async () => {
  const anyFilter = fc.constantFrom(...collectionNames).chain((name) =>
    fc.record({
      name: fc.constant(name),
      filter: fc.constantFrom(...someFilters[name]),
      limit: fc.integer({ min: 1, max: 9 }),
    }),
  )
  const ids = (page: List): string[] => page.data.map(({ id }) => id)
  await fc.assert(
    fc.asyncProperty(anyFilter, fc.boolean(), async ({ name, filter, limit }, forward) => {
      const { path } = collections[name]
      const before = ids(await list(`${path}?limit=100&${filter}`)).slice(0, 30)
      const seen: string[] = forward ? [] : [before.at(-1) ?? '']
      let writes = 0
      for (let cursor = forward ? '' : `&ending_before=${before.at(-1) ?? ''}`; ;) {
        const page = await list(`${path}?limit=${limit}&${filter}${cursor}`)
        if (writes++ < 3) sell(1)
        if (forward) seen.push(...ids(page))
        else seen.unshift(...ids(page))
        if (!page.has_more) break
        cursor = forward ? `&starting_after=${seen.at(-1) ?? ''}` : `&ending_before=${seen[0] ?? ''}`
      }
      expect(new Set(seen).size).toBe(seen.length)
      expect(seen).toEqual(seen.toSorted(newestFirst))
      expect(before.filter((id) => !seen.includes(id))).toEqual([])
    }),
    { numRuns: 15 },
  )
})

function newestFirst(a: string, b: string): number {
  const number = /^(?:le|evt|whd)_(\d+)$/
  const [left, right] = number.test(a) ? [Number(number.exec(a)?.[1]), Number(number.exec(b)?.[1])] : [a, b]
  return left < right ? 1 : -1
}

it.each([
  ['rests nine times as long as its step took while buyers wait', true, 3, [27]],
  ['rests after a step that took less than a millisecond, too', true, 0.25, [2.25]],
  ['rests for a while at most, however long its step took', true, 4_000, [exportRestMaxMs]],
  ['goes on at once when nobody waits', false, 3, []],
])('an export %s', async (_case, isBusy, stepMs, rests) => {
  const rested: number[] = []
  let now = 0
  const read: ReadPart = () => {
    now += stepMs
    return Promise.resolve({ items: [], bytes: new Uint8Array(), scannedTo: null })
  }
  const rest = (ms: number): Promise<void> => Promise.resolve(void rested.push(ms))
  const reads = openSlowReads(read, { isBusy: () => isBusy, stopwatch: () => now, rest })
  await reads.readPart({} as PartRequest)
  expect(rested).toEqual([])
  await reads.readExportPart({} as PartRequest)
  expect(rested).toEqual(rests)
})

describe('exportBody', () => {
  it('breaks off when it takes too long', async () => {
    const startMs = nowMs
    const read: ReadPart = () => {
      nowMs += exportDeadlineMs / 3
      return Promise.resolve({ items: [], bytes: new Uint8Array(), scannedTo: 'ord_1' })
    }
    const plan = { selection: everything('orders'), format: 'ndjson' } as const
    const body = exportBody(read, plan, await read({} as PartRequest), clock)
    const readAll = async (): Promise<void> => {
      for await (const piece of body) expect(piece.byteLength).toBe(0)
    }
    await expect(readAll()).rejects.toThrow(`broken off after ${exportDeadlineMs} ms`)
    nowMs = startMs
  })

  it('breaks the connection off when a later step fails, and the gate opens again', async () => {
    let calls = 0
    instead = (request) => {
      calls += 1
      if (calls > 1) return Promise.reject(new Error('the disk is gone'))
      const { bytes } = readPart(scanner, request)
      return Promise.resolve({ items: [], bytes, scannedTo: 'ord_1' })
    }
    for (let round = 0; round <= exportsMax; round++) {
      calls = 0
      // The head may be lost with the rest.
      await expect(get('/v1/exports/orders').then((response) => response.text())).rejects.toThrow(
        /^(terminated|fetch failed)$/,
      )
    }
    expect(logged).toHaveLength(exportsMax + 1)
  })

  it('reads no further when the client goes away', async () => {
    const go = Promise.withResolvers<null>()
    instead = async (request) => {
      if (steps.length > 1) await go.promise
      return { ...readPart(scanner, request), scannedTo: 'ord_1' }
    }
    const abort = new AbortController()
    const headers = { authorization: `Bearer ${secretKey}` }
    const response = await fetch(`${url}/v1/exports/orders`, { headers, signal: abort.signal })
    await response.body?.getReader().read()
    while (steps.length < 2) await get('/healthz')
    abort.abort()
    // The server has seen it once it has answered others.
    for (let round = 0; round < 20; round++) await get('/healthz')
    go.resolve(null)
    for (let round = 0; round < 20; round++) await get('/healthz')
    expect(steps).toHaveLength(2)
  })

  it('of 50,000 holds comes in small pieces, one in memory at a time', async () => {
    for (let batch = 0; batch < 50; batch++) sell(1_000)
    let underway = 0
    const read: ReadPart = async (request) => {
      underway += 1
      expect(underway).toBe(1)
      await Promise.resolve()
      const found = await readHere(request)
      underway -= 1
      return found
    }
    const plan = { selection: everything('holds'), format: 'csv' } as const
    let [pieces, lines, largest] = [0, 0, 0]
    for await (const piece of exportBody(read, plan, await readExportPart(read, plan, null), clock)) {
      // While a piece is in somebody's hands, the next one is not being made.
      expect(underway).toBe(0)
      const text = Buffer.from(piece).toString()
      pieces += 1
      lines += text.split('\r\n').length - 1
      largest = Math.max(largest, piece.byteLength)
      expect(text.split('\r\n').length - 1).toBeLessThanOrEqual(exportRowsPerStep)
    }
    expect(lines).toBe(sold + 1)
    expect(sold).toBeGreaterThan(50_000)
    expect(pieces).toBeGreaterThan(sold / exportRowsPerStep)
    expect(largest).toBeLessThan(exportRowsPerStep * 600)
  })
})
