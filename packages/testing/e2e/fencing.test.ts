import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { mintId } from '@penstock/domain/id.ts'
import { openReader } from '@penstock/store-sqlite/open.ts'
import { auditDatabase } from '@penstock/store-sqlite/audit.ts'
import { Client } from '../client.ts'
import { Program } from '../program.ts'
import { IpcPeer, kinds } from './ipc-peer.ts'
import {
  expectStatus,
  footprint,
  openDrop,
  pay,
  paymentBody,
  poll,
  present,
  readDrop,
  skuOf,
  takeHold,
} from './shop.ts'
import type { WirePayment } from '../wire-types.ts'

const secretKey = 'sk_test_fencing_0123456789'

let folder: string
let databasePath: string
let programs: Program[]
let clients: Client[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'penstock-fencing-'))
  databasePath = join(folder, 'penstock.db')
  programs = []
  clients = []
})

afterEach(async () => {
  for (const client of clients) client.close()
  for (const program of programs) {
    if (program.isRunning) program.kill('SIGKILL')
    await program.exited
  }
  rmSync(folder, { recursive: true, force: true })
})

const environment = (): Record<string, string> => ({
  PENSTOCK_DATA: folder,
  PENSTOCK_PORT: '0',
  PENSTOCK_SECRET_KEY: secretKey,
})

function startWriter(): Program {
  const writer = Program.start('writer', [], environment())
  programs.push(writer)
  return writer
}

async function startReadyWriter(): Promise<Program> {
  const writer = startWriter()
  await writer.ready()
  return writer
}

async function startHttp(): Promise<{ program: Program; client: Client }> {
  const program = Program.start('http', [], environment())
  programs.push(program)
  const [, port] = await program.printed(/http ready: \w+ on 127\.0\.0\.1:(\d+)/)
  const client = new Client(`http://127.0.0.1:${port}`, secretKey)
  clients.push(client)
  return { program, client }
}

function epoch(): number {
  const db = openReader(databasePath)
  try {
    return Number(db.prepare('SELECT epoch FROM writer_state').pluck().get())
  } finally {
    db.close()
  }
}

/** SIGSTOP takes effect a moment after it was sent. */
async function pause(program: Program): Promise<void> {
  program.kill('SIGSTOP')
  await poll('the process is stopped', 2_000, () => {
    return execFileSync('ps', ['-o', 'stat=', '-p', String(program.pid)], { encoding: 'utf8' }).startsWith('T')
  })
}

describe('a second writer', () => {
  it('on the same data folder refuses to start, and the first does not notice', async () => {
    const first = await startReadyWriter()
    const { client } = await startHttp()
    const drop = await openDrop(client)
    const before = footprint(databasePath)
    const second = startWriter()
    expect(await second.exited).toEqual({ code: 3, signal: null })
    expect(second.output).toContain('another writer runs on this data folder')
    expect(second.output).toContain(join(folder, 'writer.lock'))
    expect([footprint(databasePath), epoch()]).toEqual([before, 1])
    expect(first.isRunning).toBe(true)
    expectStatus(await pay(client, await takeHold(client, drop)), 201)
  })

  it('starts at once after the first was killed', async () => {
    const first = await startReadyWriter()
    first.kill('SIGKILL')
    await first.exited
    await startReadyWriter()
    expect(epoch()).toBe(2)
  })
})

describe('a writer that was paused and replaced', () => {
  /** As an operator might who believes that the writer is dead. */
  const removeLock = (): void => {
    for (const suffix of ['', '-journal']) rmSync(join(folder, `writer.lock${suffix}`), { force: true })
  }

  it('commits nothing and acknowledges nothing when it wakes', async () => {
    const old = await startReadyWriter()
    const before = await startHttp()
    const drop = await openDrop(before.client)
    const hold = await takeHold(before.client, drop)
    const peer = await IpcPeer.greet(join(folder, 'writer.sock'))
    await pause(old)
    // Both are in the paused writer's socket when it wakes: one from a peer that watches what it answers, one from a
    // buyer of an HTTP process that is still connected to it.
    const lost = mintId('drop', Date.now(), randomBytes(10))
    for (const bytes of peer.codec.encodeCommands([{ id: 1, command: createDropCommand(lost) }])) peer.send(bytes)
    const body = paymentBody(hold)
    const pending = before.client.post<WirePayment>('/v1/payments', body)

    removeLock()
    const replacement = await startReadyWriter()
    const after = await startHttp()
    const sold = await pay(after.client, await takeHold(after.client, drop))
    expectStatus(sold, 201)
    const kindsBefore = [...peer.kinds]
    const { seq = 0 } = footprint(databasePath)
    old.kill('SIGCONT')

    const exit = await old.exited
    expect(exit.code).toBe(1)
    expect(old.output).toMatch(/a newer writer has taken over: epoch 1 is past/)
    await peer.closed
    expect(peer.kinds).toEqual(kindsBefore)
    expect(peer.kinds).not.toContain(kinds.commit)
    // The buyer's HTTP process finds the new writer, within the request's deadline.
    const paid = expectStatus(await pending, 201)
    expect(paid.body).toMatchObject({ status: 'captured', hold: hold.id })
    expect(epoch()).toBe(2)
    // Nothing but that payment since, and it came from the new writer: the old one was at an earlier commit.
    expect(footprint(databasePath)['seq']).toBe(seq + 1)
    expect(Number(paid.headers['penstock-seq'])).toBe(seq + 1)
    expect((await after.client.get(`/v1/drops/${lost}`)).status).toBe(404)
    expect(skuOf(await readDrop(after.client, drop.id))).toMatchObject({ held: 0, sold: 2 })
    expect(replacement.isRunning).toBe(true)
    expect(auditDatabase(databasePath)).toEqual([])
  })

  it('ends although it has nothing to do, so that nobody keeps reading old counters from it', async () => {
    const old = await startReadyWriter()
    const before = await startHttp()
    const drop = await openDrop(before.client)
    await pause(old)
    removeLock()
    await startReadyWriter()
    const after = await startHttp()
    const sold = await pay(after.client, await takeHold(after.client, drop))
    old.kill('SIGCONT')
    const { code } = await old.exited
    expect(code).toBe(1)
    expect(old.output).toContain('epoch 1 is past')
    const seen = await readDrop(before.client, drop.id, sold.headers['penstock-seq'] as string)
    expect(skuOf(seen)).toMatchObject({ held: 0, sold: 1 })
  })
})

describe('a writer with an older database than was acknowledged', () => {
  it('refuses to serve', async () => {
    const first = await startReadyWriter()
    const http = await startHttp()
    const drop = await openDrop(http.client)
    expect(await first.stop()).toEqual({ code: 0, signal: null })
    const files = ['', '-wal'].map((suffix) => databasePath + suffix).filter((path) => existsSync(path))
    for (const path of files) copyFileSync(path, `${path}.backup`)

    const second = await startReadyWriter()
    const sold = await pay(http.client, await takeHold(http.client, drop))
    expectStatus(sold, 201)
    expect(await second.stop()).toEqual({ code: 0, signal: null })
    for (const suffix of ['', '-wal', '-shm']) rmSync(databasePath + suffix, { force: true })
    for (const path of files) copyFileSync(`${path}.backup`, path)

    const third = startWriter()
    expect((await third.exited).code).toBe(1)
    const acknowledged = present(sold.headers['penstock-seq'], 'Penstock-Seq') as string
    expect(third.output).toMatch(new RegExp(`commit ${acknowledged} was acknowledged, this database ends at \\d+`))
    // The HTTP process still refuses to forget; nothing is sold again.
    expect(http.program.isRunning).toBe(true)
    expect((await http.client.get('/readyz')).status).toBe(503)
    expect(footprint(databasePath)).toMatchObject({ hold: 0, payment: 0 })
  })
})

function createDropCommand(dropId: string): object {
  return {
    kind: 'create_drop',
    key: null,
    dropId,
    name: 'From the past',
    description: null,
    image: null,
    currency: 'usd',
    startsAtMs: null,
    endsAtMs: null,
    holdTtlMs: 1_000,
    maxPerCustomer: null,
    latePayment: 'refund',
    metadata: {},
    skus: [{ id: mintId('sku', Date.now(), randomBytes(10)), name: 'x', unitAmountMinor: 1, stock: 1 }],
  }
}
