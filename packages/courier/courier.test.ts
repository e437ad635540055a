import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { reportRetryMaxMs } from '@penstock/domain/limits.ts'
import { rejected } from '@penstock/domain/result.ts'
import { decide } from '@penstock/engine/decide.ts'
import { captureCommand, endpointCommand } from '@penstock/engine/test-sale.ts'
import { SqliteQueries } from '@penstock/store-sqlite/sqlite-queries.ts'
import { SqliteStore } from '@penstock/store-sqlite/sqlite-store.ts'
import { SqliteWebhookQueries } from '@penstock/store-sqlite/sqlite-webhook-queries.ts'
import { Courier } from './courier.ts'
import type { Command } from '@penstock/domain/command.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { OnReply } from '@penstock/protocol/writer-client.ts'

const startMs = 1_700_000_000_000
const minuteMs = 60_000

let folder = ''
let store: SqliteStore
let queries: SqliteQueries
let webhooks: SqliteWebhookQueries

beforeEach(() => {
  vi.useFakeTimers({ now: startMs })
  folder = mkdtempSync(join(tmpdir(), 'penstock-courier-'))
  const path = join(folder, 'penstock.db')
  store = new SqliteStore(path)
  queries = new SqliteQueries(path)
  webhooks = new SqliteWebhookQueries(path)
})
afterEach(() => {
  vi.useRealTimers()
  for (const part of [webhooks, queries, store]) part.close()
  rmSync(folder, { recursive: true })
})

function run(command: Command): Result {
  const [result] = store.transact(Date.now(), (set) => [decide(set, command, Date.now())]).value
  if (result === undefined) throw new Error('there is no result')
  return result
}

it('Courier sends a report that the writer refuses again, ever later, and says so; the writer takes it in the end', async () => {
  run(endpointCommand('whe_1'))
  const lines: string[] = []
  const asked: number[] = []
  let refuses = true
  const submit = (command: Command, onReply: OnReply): boolean => {
    asked.push(Date.now() - startMs)
    const result = refuses ? rejected('internal_error', null, 'The command could not be carried out.') : run(command)
    onReply({ result, seq: store.seq })
    return true
  }
  const courier = new Courier({
    queries,
    webhooks,
    writer: { submit },
    sender: { send: () => Promise.resolve({ status: 200, fault: null, retryAfterMs: null }) },
    retryDelaysMs: [1_000],
    clock: Date.now,
    random: () => 0,
    log: (line) => lines.push(line),
  })
  courier.start()
  run(captureCommand('hold_none'))
  await vi.advanceTimersByTimeAsync(10 * minuteMs)
  const waits = asked.slice(1).map((atMs, index) => atMs - (asked[index] ?? 0))
  expect(waits.slice(0, 4)).toEqual([50, 100, 200, 400])
  expect(waits.at(-1)).toBe(reportRetryMaxMs)
  expect(asked.length).toBeLessThan(25)
  expect(lines).toHaveLength(asked.length)
  expect(lines[0]).toBe('the writer answered a report about whe_1 with internal_error; again in 50 ms')
  refuses = false
  await vi.advanceTimersByTimeAsync(2 * minuteMs)
  // The making of the endpoint, and the payment.
  expect(webhooks.listKnown('whe_1', 0, 100)).toEqual([1, 2])
  await courier.drain(0)
})
