import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openReader } from '@penstock/store-sqlite/open.ts'
import { auditDatabase } from '@penstock/store-sqlite/audit.ts'
import { Client } from '../client.ts'
import { Load } from './buyers.ts'
import { expectStatus, openDrop, pay, poll, present, takeHold } from './shop.ts'
import type { WireDrop } from '../wire-types.ts'

/** The box under PM2, from ecosystem.config.js, with a PM2 of its own that nobody else sees. */

const root = fileURLToPath(new URL('../../../', import.meta.url))
const run = promisify(execFile)

interface Pm2Process {
  readonly name: string
  readonly pid: number
  readonly pm2_env: { readonly status: string; readonly restart_time: number }
}

let folder: string
let environment: NodeJS.ProcessEnv
let url: string
let secretKey: string
let seller: Client
let drop: WireDrop

async function pm2(...args: string[]): Promise<string> {
  const { stdout } = await run(join(root, 'node_modules/.bin/pm2'), args, { cwd: root, env: environment })
  return stdout
}

async function listProcesses(): Promise<Pm2Process[]> {
  const output = await pm2('jlist')
  return JSON.parse(output.slice(output.indexOf('[{'))) as Pm2Process[]
}

function pidsOf(processes: readonly Pm2Process[], name: string): number[] {
  return processes.filter((one) => one.name === name).map(({ pid }) => pid)
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = present(server.address(), 'the address')
  server.close()
  await once(server, 'close')
  return typeof address === 'string' ? address : String(address.port)
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'penstock-pm2-'))
  const { PATH, HOME } = process.env
  const port = await freePort()
  environment = {
    PATH,
    HOME,
    PM2_HOME: join(folder, 'pm2'),
    PENSTOCK_DATA: join(folder, 'data'),
    PENSTOCK_PORT: port,
    PENSTOCK_HTTP_PROCESSES: '2',
  }
  await pm2('start', 'ecosystem.config.js')
  url = `http://127.0.0.1:${port}`
  const anybody = new Client(url, '')
  await poll('the box is ready', 20_000, () =>
    anybody.get('/readyz').then(
      ({ status }) => status === 200,
      () => false,
    ),
  )
  anybody.close()
  const keys = JSON.parse(readFileSync(join(folder, 'data/bootstrap-keys.json'), 'utf8')) as { secret_key: string }
  secretKey = keys.secret_key
  seller = new Client(url, secretKey)
  drop = await openDrop(seller, { skus: [{ name: 'One', unit_amount: 100, stock: 1_000_000 }] })
}, 60_000)

afterAll(async () => {
  // First: whatever else failed, no daemon may stay behind.
  await pm2('kill')
  seller.close()
  rmSync(folder, { recursive: true, force: true })
}, 60_000)

function startLoad(): { load: Load; done: Promise<void> } {
  const load = new Load({ url, secretKey, drop, buyers: 100_000, connections: 4, hasKey: () => true })
  return { load, done: load.run() }
}

/** All that was acknowledged is there, once. */
function checkKept(load: Load): void {
  const path = join(folder, 'data/penstock.db')
  expect(auditDatabase(path)).toEqual([])
  const db = openReader(path)
  try {
    const find = db.prepare<[string], string>('SELECT id FROM orders WHERE payment_id = ?').pluck()
    const lost = load.payments.filter(({ id, order }) => find.get(id) !== order)
    expect(lost).toEqual([])
  } finally {
    db.close()
  }
}

it('sells', async () => {
  expectStatus(await pay(seller, await takeHold(seller, drop)), 201)
  const processes = await listProcesses()
  expect(processes.map(({ name, pm2_env: { status } }) => `${name} ${status}`).toSorted()).toEqual([
    'penstock-courier online',
    'penstock-http online',
    'penstock-http online',
    'penstock-writer online',
  ])
})

it('reloads the HTTP processes under load without losing a payment', async () => {
  const before = pidsOf(await listProcesses(), 'penstock-http')
  const { load, done } = startLoad()
  await load.whenPaid(100)
  await pm2('reload', 'penstock-http')
  const paidAtReload = load.payments.length
  await load.whenPaid(paidAtReload + 100)
  load.stop()
  await done
  const after = pidsOf(await listProcesses(), 'penstock-http')
  expect(after).toHaveLength(2)
  expect(after.filter((pid) => before.includes(pid))).toEqual([])
  expect(before.filter(isAlive)).toEqual([])
  expect(load.failures).toEqual([])
  console.log(`pm2: reload under load, ${load.payments.length} payments, ${load.retries} requests tried again`)
  checkKept(load)
})

it('restarts the writer under load: a pause and no error', async () => {
  const [before] = pidsOf(await listProcesses(), 'penstock-writer')
  const { load, done } = startLoad()
  await load.whenPaid(100)
  await pm2('restart', 'penstock-writer')
  await load.whenPaid(load.payments.length + 100)
  load.stop()
  await done
  const [after] = pidsOf(await listProcesses(), 'penstock-writer')
  expect(after).not.toBe(before)
  expect([load.failures, load.retries]).toEqual([[], 0])
  checkKept(load)
})

it('brings a killed writer back', async () => {
  const [before = 0] = pidsOf(await listProcesses(), 'penstock-writer')
  process.kill(before, 'SIGKILL')
  expectStatus(await pay(seller, await takeHold(seller, drop)), 201)
  expect(pidsOf(await listProcesses(), 'penstock-writer')).not.toContain(before)
})

it('ends with PM2', async () => {
  const pids = (await listProcesses()).map(({ pid }) => pid)
  await pm2('kill')
  await poll('every process has ended', 30_000, () => !pids.some(isAlive))
  expect(auditDatabase(join(folder, 'data/penstock.db'))).toEqual([])
})
