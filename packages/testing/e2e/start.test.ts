import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer, createConnection } from 'node:net'
import { once } from 'node:events'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { auditDatabase } from '@penstock/store-sqlite/audit.ts'
import { schemaVersion } from '@penstock/store-sqlite/migrate.ts'
import { openWriter } from '@penstock/store-sqlite/open.ts'
import { Client } from '../client.ts'
import { Program } from '../program.ts'
import { makeFirstDatabase } from '../upgrade/first-fixture.ts'
import { expectStatus, holdBody, openDrop, pay, poll, present, readDrop, skuOf, takeHold } from './shop.ts'
import type { WireApiKey, WireDrop, WireList } from '../wire-types.ts'

/** `penstock start`, used as by somebody who has never seen it. */

let folder: string
let data: string
let programs: Program[]
let clients: Client[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'penstock-start-'))
  data = join(folder, 'data')
  programs = []
  clients = []
})

afterEach(async () => {
  for (const client of clients) client.close()
  for (const program of programs) await program.stop()
  rmSync(folder, { recursive: true, force: true })
})

function penstock(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Program {
  const program = Program.start('cli', args, { PENSTOCK_DATA: data, PENSTOCK_PORT: '0', ...environment })
  programs.push(program)
  return program
}

interface Running {
  readonly program: Program
  readonly url: string
  readonly secretKey: string
  readonly seller: Client
}

async function startBox(args: readonly string[] = ['--no-seed'], environment = {}): Promise<Running> {
  const program = penstock(['start', ...args], environment)
  const [, url = ''] = await program.printed(/Penstock is open at (http:\S+)/)
  const [, secretKey = ''] = await program.printed(/secret key +(\S+)/)
  await program.ready()
  const seller = new Client(url, secretKey)
  clients.push(seller)
  return { program, url, secretKey, seller }
}

/** The processes of a box, from what the supervisor says. */
function pidsOf({ messages }: Program): number[] {
  const states = messages.flatMap((message) =>
    typeof message === 'object' && message !== null && 'box' in message ? [message.box] : [],
  )
  const { writer, http, courier } = states.at(-1) as {
    writer: number | null
    http: readonly (number | null)[]
    courier: number | null
  }
  return [writer, ...http, courier].filter((pid) => pid !== null)
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe('usage', () => {
  it.each([[['--help']], [['start', '--help']], [['help', 'start']]])('%s explains itself', async (args) => {
    const program = penstock(args)
    expect(await program.exited).toEqual({ code: 0, signal: null })
    expect(program.output).toMatch(/^Usage: penstock/)
    expect(program.output).toContain(args.includes('start') ? '--port <number>' : 'start')
    expect(existsSync(data)).toBe(false)
  })

  it.each([
    [['start', '--prot', '1'], '--prot'],
    [['start', '--port'], '--port'],
    [['sart'], 'sart'],
    [['start', 'here'], 'argument'],
  ])('%s is refused with exit code 2', async (args, named) => {
    const program = penstock(args)
    expect(await program.exited).toEqual({ code: 2, signal: null })
    expect(program.output).toContain(named)
    expect(program.output).not.toMatch(/^ {4}at /m)
    expect(existsSync(data)).toBe(false)
  })

  it.each([
    ['PENSTOCK_PORT', '99999'],
    ['PENSTOCK_PORT', 'http'],
    ['PENSTOCK_HTTP_PROCESSES', '0'],
    ['PENSTOCK_HTTP_PROCESSES', '2.5'],
    ['PENSTOCK_DATA', '  '],
    ['PENSTOCK_HOST', ' '],
    ['PENSTOCK_STORE', 'mysql://x'],
    ['PENSTOCK_MODE', 'prod'],
    ['PENSTOCK_TRANSPORT', 'carrier pigeon'],
    ['PENSTOCK_SECRET_KEY', 'sk_test_short'],
    ['PENSTOCK_SECRET_KEY', 'pk_test_0123456789_0123456789'],
    ['PENSTOCK_PUBLISHABLE_KEY', 'sk_test_0123456789_0123456789'],
    ['PENSTOCK_PROT', '8080'],
  ])('%s=%s is named, and nothing is made', async (name, value) => {
    const program = penstock(['start'], { [name]: value })
    expect(await program.exited).toEqual({ code: 2, signal: null })
    expect(program.output).toMatch(new RegExp(`^${name} `, 'm'))
    expect(program.output.trim().split('\n')).toHaveLength(1)
    if (name.endsWith('_KEY')) expect(program.output).not.toContain(value)
    expect(readdirSync(folder)).toEqual([])
  })

  it('names every wrong variable at once', async () => {
    const program = penstock(['start'], { PENSTOCK_PORT: 'x', PENSTOCK_MODE: 'x', PENSTOCK_NONSENSE: 'x' })
    expect((await program.exited).code).toBe(2)
    for (const name of ['PENSTOCK_PORT', 'PENSTOCK_MODE', 'PENSTOCK_NONSENSE']) expect(program.output).toContain(name)
  })

  it('an option wins over its variable', async () => {
    const program = penstock(['start', '--port', 'x'], { PENSTOCK_PORT: '1' })
    expect((await program.exited).code).toBe(2)
    expect(program.output).toContain('PENSTOCK_PORT is "x"')
  })
})

describe('a start that cannot work', () => {
  it.each(['uws', 'node'])(
    'because a stranger has the port (%s): says so and leaves nothing behind',
    async (transport) => {
      const stranger = createServer().listen(0, '127.0.0.1')
      await once(stranger, 'listening')
      const address = present(stranger.address(), 'the address')
      const port = typeof address === 'string' ? address : String(address.port)
      const program = penstock(['start'], { PENSTOCK_PORT: port, PENSTOCK_TRANSPORT: transport })
      const { code } = await program.exited
      expect(code).toBe(1)
      expect(program.output).toMatch(new RegExp(`127\\.0\\.0\\.1:${port}.*EADDRINUSE|EADDRINUSE.*${port}`))
      expect(program.output).not.toMatch(/^ {4}at /m)
      stranger.close()
      // Nothing holds the folder.
      await startBox()
    },
  )

  it('because another box has the port: two of them would share the requests', async () => {
    const first = await startBox()
    const second = penstock(['start', '--data', join(folder, 'other'), '--port', new URL(first.url).port])
    const { code } = await second.exited
    expect(code).toBe(1)
    expect(second.output).toMatch(/EADDRINUSE/)
    expectStatus(await first.seller.get('/v1/drops'), 200)
  })

  it('because another box has the data folder: says so, and the other does not notice', async () => {
    const first = await startBox()
    const drop = await openDrop(first.seller)
    const pids = pidsOf(first.program)
    const second = penstock(['start'])
    const { code } = await second.exited
    expect(code).toBe(4)
    expect(second.output).toContain('another writer runs on this data folder')
    expect(second.output).toContain(data)
    expectStatus(await pay(first.seller, await takeHold(first.seller, drop)), 201)
    expect(pidsOf(first.program)).toEqual(pids)
    expect(pids.every(isAlive)).toBe(true)
  })
})

describe('a database of another schema', () => {
  it('of a newer release: says which release it needs, and does not try again', async () => {
    mkdirSync(data)
    const db = openWriter(join(data, 'penstock.db'))
    const newer = schemaVersion + 1
    db.exec(`INSERT INTO schema_migration VALUES (${newer}, 'x.sql', 'x', '9.8.7'); PRAGMA user_version = ${newer}`)
    db.close()
    const program = penstock(['start'])
    const { code } = await program.exited
    expect(code).toBe(4)
    expect(program.output).toContain(`the database has schema version ${newer}`)
    expect(program.output).toContain('run release 9.8.7 or newer')
    expect(program.output).not.toContain('starting it again')
    expect(program.output).not.toMatch(/^ {4}at /m)
  })

  it('of the first release, with a sale in it: migrates it, says so, and goes on selling', async () => {
    mkdirSync(data)
    makeFirstDatabase(join(data, 'penstock.db'))
    const { program, seller } = await startBox()
    if (schemaVersion > 1) expect(program.output).toMatch(/migrating the database from schema 1 to \d+ .* backup/)
    const { body } = expectStatus(await seller.get<WireList<WireDrop>>('/v1/drops?limit=100'), 200)
    expect(body.data.map((drop) => drop.name)).toContain('Friday drop')
    const drop = await openDrop(seller)
    expectStatus(await pay(seller, await takeHold(seller, drop)), 201)
    expect(auditDatabase(join(data, 'penstock.db'))).toEqual([])
  })
})

describe('stopping', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('%s answers what was taken, then ends with 0', async (signal) => {
    const { program, url, secretKey, seller } = await startBox()
    const drop = await openDrop(seller)
    const pids = pidsOf(program)
    // Half of a request is in the server's hands when the signal comes, and the rest after it.
    const body = JSON.stringify(holdBody(drop))
    const socket = createConnection({ host: '127.0.0.1', port: Number(new URL(url).port) })
    let answer = ''
    socket.setEncoding('utf8').on('data', (text: string) => {
      answer += text
    })
    const closed = once(socket, 'close')
    const head = ['POST /v1/holds HTTP/1.1', 'Host: x', `Authorization: Bearer ${secretKey}`]
    socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')
    await once(socket, 'data')
    answer = ''
    const framing = ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`, '', '']
    socket.write([...head, ...framing].join('\r\n') + body.slice(0, 10))
    program.kill(signal)
    await program.printed(/stopping: answering what was taken/)
    socket.write(body.slice(10))
    await closed
    expect(answer).toMatch(/^HTTP\/1\.1 201 /)
    expect(answer.toLowerCase()).toContain('connection: close')
    expect(await program.exited).toEqual({ code: 0, signal: null })
    expect(program.output).toMatch(/stopped\n$/)
    expect(program.output).not.toMatch(/^ {4}at /m)
    expect(pids.filter(isAlive)).toEqual([])
    await expect(seller.get('/healthz')).rejects.toThrow(/ECONNREFUSED/)
    const database = join(data, 'penstock.db')
    expect(auditDatabase(database)).toEqual([])
    // The writer has left a closed database, with nothing in its log.
    expect(existsSync(`${database}-wal`) ? statSync(`${database}-wal`).size : 0).toBe(0)
    const again = await startBox()
    expect(skuOf(await readDrop(again.seller, drop.id)).held).toBe(1)
  })

  it('the end of the program that started it is a request to stop', async () => {
    const box = await startBox()
    const pids = pidsOf(box.program)
    box.program.disconnect()
    expect(await box.program.exited).toEqual({ code: 0, signal: null })
    expect(box.program.output).toMatch(/stopped\n$/)
    expect(pids.filter(isAlive)).toEqual([])
    const writer = Program.start('writer', [], { PENSTOCK_DATA: data })
    programs.push(writer)
    await writer.ready()
    const http = Program.start('http', [], { PENSTOCK_DATA: data, PENSTOCK_PORT: '0' })
    programs.push(http)
    await http.ready()
    for (const program of [http, writer]) {
      program.disconnect()
      expect([await program.exited, program.output]).toEqual([{ code: 0, signal: null }, expect.any(String) as unknown])
    }
  })

  it('kill -9 of the supervisor ends every process, and the next start has all data and keys', async () => {
    const first = await startBox()
    const drop = await openDrop(first.seller)
    const payment = expectStatus(await pay(first.seller, await takeHold(first.seller, drop)), 201).body
    const pids = pidsOf(first.program)
    expect(pids).toHaveLength(4)
    first.program.kill('SIGKILL')
    await first.program.exited
    await poll('every process has ended', 15_000, () => !pids.some(isAlive))

    const second = await startBox()
    expect(second.secretKey).toBe(first.secretKey)
    expect((await second.seller.get(`/v1/orders/${payment.order}`)).body).toMatchObject({ payment: payment.id })
    expect(skuOf(await readDrop(second.seller, drop.id))).toMatchObject({ sold: 1 })
  })
})

it.runIf(process.platform === 'linux')(
  'gives V8 no more helper threads than there are cores beside its own',
  async () => {
    const { program } = await startBox()
    const expected = `--v8-pool-size=${Math.min(4, Math.max(1, availableParallelism() - 1))}`
    const flags = pidsOf(program).map((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[1])
    expect(flags.length).toBeGreaterThanOrEqual(4)
    expect(new Set(flags)).toEqual(new Set([expected]))
  },
)

describe('starting again', () => {
  it('keeps data and keys, makes one demo drop, and answers soon', async () => {
    const first = await startBox([])
    const listDrops = async (seller: Client): Promise<readonly WireDrop[]> =>
      expectStatus(await seller.get<WireList<WireDrop>>('/v1/drops'), 200).body.data
    const [demo, ...others] = await listDrops(first.seller)
    expect(others).toEqual([])
    expect(demo).toMatchObject({ status: 'live', name: expect.stringContaining('Demo') as unknown })
    const id = present(demo, 'the demo drop').id
    expect(first.program.output).toMatch(new RegExp(`demo drop +${id}`))
    expectStatus(await pay(first.seller, await takeHold(first.seller, present(demo, 'the demo drop'))), 201)
    expect(statSync(join(data, 'bootstrap-keys.json')).mode & 0o777).toBe(0o600)
    expect(statSync(join(data, 'penstock.db')).mode & 0o077).toBe(0)
    const keys = readFileSync(join(data, 'bootstrap-keys.json'), 'utf8')
    const { port } = new URL(first.url)
    expect(await first.program.stop()).toEqual({ code: 0, signal: null })

    const startMs = performance.now()
    const second = penstock(['start'], { PENSTOCK_PORT: port })
    await poll('the first answer', 15_000, () =>
      first.seller.get('/v1/drops').then(
        ({ status }) => status === 200,
        () => false,
      ),
    )
    const tookMs = Math.round(performance.now() - startMs)
    console.log(`start: a second start answered its first request after ${tookMs} ms`)
    expect(tookMs).toBeLessThan(10_000)
    await second.ready()
    expect((await listDrops(first.seller)).map((drop) => drop.id)).toEqual([id])
    expect(skuOf(await readDrop(first.seller, id)).sold).toBe(1)
    expect(second.output).not.toContain('demo drop')
    expect(readFileSync(join(data, 'bootstrap-keys.json'), 'utf8')).toBe(keys)
  })

  it('starts although the secret key of the first start was revoked since', async () => {
    const first = await startBox(['--no-seed'])
    const made = await first.seller.post<WireApiKey>('/v1/api_keys', { kind: 'secret' })
    const { data: keys } = (await first.seller.get<WireList<WireApiKey>>('/v1/api_keys')).body
    const bootstrap = present(
      keys.find(({ kind, id }) => kind === 'secret' && id !== made.body.id),
      'the first key',
    )
    expectStatus(await first.seller.post(`/v1/api_keys/${bootstrap.id}/revoke`), 200)
    await first.program.stop()
    const second = await startBox([])
    expect(second.program.output).toContain('no demo drop: the key in bootstrap-keys.json is not accepted')
    const client = new Client(second.url, present(made.body.secret, 'the secret'))
    clients.push(client)
    expectStatus(await client.get('/v1/drops'), 200)
  })

  it('takes keys from the environment, and those of before stop working', async () => {
    const first = await startBox()
    await openDrop(first.seller)
    await first.program.stop()
    const key = 'sk_test_from_the_environment'
    const second = await startBox(['--no-seed'], { PENSTOCK_SECRET_KEY: key })
    expect(second.secretKey).toBe(key)
    expectStatus(await second.seller.get('/v1/drops'), 200)
    const old = new Client(second.url, first.secretKey)
    clients.push(old)
    expect((await old.get('/v1/drops')).status).toBe(401)
    // Only hashes are in the database.
    const files = readdirSync(data).filter((name) => name.startsWith('penstock.db'))
    for (const file of files) expect(readFileSync(join(data, file)).includes(key)).toBe(false)
  })
})
