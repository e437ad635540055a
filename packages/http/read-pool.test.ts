import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Piscina } from 'piscina'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { slowReadStepMs } from '@penstock/domain/limits.ts'
import { mintId } from '@penstock/domain/id.ts'
import { decide } from '@penstock/engine/decide.ts'
import { customer, dropCommand, holdCommand, phaseCommand } from '@penstock/engine/test-sale.ts'
import { SqliteStore } from '@penstock/store-sqlite/sqlite-store.ts'
import { ReadPool } from './read-pool.ts'
import { SlowReadTimeout } from './slow-reads.ts'
import type { PartRequest } from './read-part.ts'

const nowMs = 1_700_000_000_000
let folder = ''
let pool: ReadPool | null = null
const errors: unknown[] = []

const holdId = (index: number): string => mintId('hold', nowMs + index, new Uint8Array(10))

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'penstock-read-pool-'))
  const store = new SqliteStore(join(folder, 'penstock.db'))
  const skus = [{ id: 'sku_1', name: 'Size', unitAmountMinor: 100, stock: 100, maxPerOrder: null }]
  const create = dropCommand({ dropId: 'drop_1', skus })
  const lines = [{ skuId: 'sku_1', quantity: 1 }]
  const holds = Array.from({ length: 10 }, (_, index) =>
    holdCommand(holdId(index), { dropId: 'drop_1', lines, customer: customer(`b${index}@example.com`) }),
  )
  store.transact(nowMs, (set) =>
    [create, phaseCommand('publish', 'drop_1'), ...holds].map((command) => decide(set, command, nowMs)),
  )
  store.close()
})
afterEach(async () => {
  vi.restoreAllMocks()
  await pool?.close()
  pool = null
  expect(errors.splice(0)).toEqual([])
})
afterAll(() => rmSync(folder, { recursive: true }))

function open(path = join(folder, 'penstock.db')): ReadPool {
  pool = new ReadPool(path, (error) => errors.push(error))
  return pool
}

const request = (fields: Partial<PartRequest> = {}): PartRequest => ({
  collection: 'holds',
  filters: {},
  createdFromMs: null,
  createdBeforeMs: null,
  nowMs,
  direction: 'newest_first',
  after: null,
  rowsMax: 100,
  matchesMax: 4,
  format: 'list',
  ...fields,
})

it('ReadPool reads on a thread of its own, which starts with the first read', async () => {
  const { readPart } = open()
  expect(pool?.threads).toBe(0)
  const part = await readPart(request({ filters: { customer_email: 'B7@example.com' } }))
  expect(part.items.map((item) => (JSON.parse(item) as { id: string }).id)).toEqual([holdId(7)])
  expect(part.scannedTo).toBeNull()
  expect(pool?.threads).toBe(1)
})

it('ReadPool gives many readers their steps, in turn, on one thread', async () => {
  const { readPart } = open()
  const parts = await Promise.all(
    Array.from({ length: 60 }, (_, index) => readPart(request({ after: holdId(index % 10), matchesMax: 1 }))),
  )
  expect(parts.map(({ scannedTo }) => scannedTo)).toEqual(
    parts.map((_, index) => (index % 10 === 0 ? null : holdId((index % 10) - 1))),
  )
  expect(pool?.threads).toBe(1)
})

it('ReadPool hands bytes over, more than once', async () => {
  const { readPart } = open()
  for (const format of ['csv', 'ndjson', 'csv'] as const) {
    const { bytes, items } = await readPart(request({ format }))
    expect(Buffer.from(bytes).toString()).toContain(holdId(9))
    expect(items).toEqual([])
  }
  const nothing = await readPart(request({ format: 'csv', filters: { q: 'nobody' } }))
  expect(nothing.bytes.byteLength).toBe(0)
})

it('ReadPool rejects what fails, and goes on', async () => {
  const missing = open(join(folder, 'missing.db'))
  await expect(missing.readPart(request())).rejects.toThrow('there is no database at')
  await expect(missing.readPart(request())).rejects.toThrow('there is no database at')
  await missing.close()
  const { readPart } = open()
  await expect(readPart(request({ collection: 'nothing' as never }))).rejects.toThrow('undefined')
  expect((await readPart(request())).items).toHaveLength(4)
})

it('ReadPool ends a thread whose step takes too long, and the next read gets another', async () => {
  const { readPart } = open()
  await readPart(request())
  const timeout = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(AbortSignal.abort())
  await expect(readPart(request())).rejects.toThrow(SlowReadTimeout)
  expect(timeout).toHaveBeenCalledWith(slowReadStepMs)
  // Aborted while it runs.
  const late = new AbortController()
  timeout.mockReturnValue(late.signal)
  const running = readPart(request())
  late.abort()
  await expect(running).rejects.toThrow(SlowReadTimeout)
  timeout.mockRestore()
  expect((await readPart(request())).items).toHaveLength(4)
})

it('ReadPool reports what goes wrong in an idle thread, but not the late answer of a step that was ended', () => {
  const on = vi.spyOn(Piscina.prototype, 'on')
  open()
  const handler = on.mock.calls.find(([name]) => name === 'error')?.[1] as (error: unknown) => void
  handler(new Error('Unexpected message from Worker: { result: "ada@example.com" }'))
  expect(errors).toEqual([])
  handler(new Error('out of memory'))
  expect(errors.splice(0)).toMatchObject([{ message: 'out of memory' }])
})

it.runIf(process.platform === 'linux')('ReadPool lowers the priority of its thread and of no other', async () => {
  const niceness = (): number[] =>
    readdirSync('/proc/self/task').map((task) => {
      const stat = readFileSync(`/proc/self/task/${task}/stat`, 'utf8')
      // Field 19; the second is a name in brackets, which may hold spaces.
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16])
    })
  const own = niceness().filter((nice) => nice >= 10).length
  const { readPart } = open()
  await readPart(request())
  const after = niceness()
  expect(after.filter((nice) => nice >= 10).length - own).toBe(1)
})
