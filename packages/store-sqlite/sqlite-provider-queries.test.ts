import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { decide } from '@penstock/engine/decide.ts'
import {
  captureCommand,
  dropCommand,
  dropId,
  holdCommand,
  refundCommand,
  settleCommand,
} from '@penstock/engine/test-sale.ts'
import { firstPlace } from '@penstock/store/provider-queries.ts'
import { openReader } from './open.ts'
import { SqliteProviderQueries, providerStatements } from './sqlite-provider-queries.ts'
import { SqliteStore } from './sqlite-store.ts'
import type { Command, OpenCheckout } from '@penstock/domain/command.ts'

const startMs = 1_700_000_000_000

let folder = ''
let store: SqliteStore
let queries: SqliteProviderQueries

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'penstock-provider-queries-'))
  store = new SqliteStore(join(folder, 'penstock.db'))
  queries = new SqliteProviderQueries(join(folder, 'penstock.db'))
})
afterEach(() => {
  queries.close()
  store.close()
  rmSync(folder, { recursive: true })
})

function run(nowMs: number, ...commands: readonly Command[]): void {
  const { value } = store.transact(nowMs, (set) => commands.map((command) => decide(set, command, nowMs)))
  for (const { outcome } of value) expect(outcome).toMatch(/_(recorded|saved|created|closed|taken)$/)
}

/** A drop with these holds. */
function sell(...holdIds: string[]): void {
  run(startMs, dropCommand(), { kind: 'change_drop_phase', key: null, dropId, action: 'publish' })
  run(startMs, ...holdIds.map((holdId) => holdCommand(holdId)))
}

/** Money without goods, or for nobody. */
const money = (number: number, change: object = {}): Command =>
  captureCommand('hold_none', {
    paymentId: `pay_${number}`,
    providerPaymentId: `pi_${number}`,
    provider: 'stripe',
    ...change,
  })

function open(holdId: string, provider: OpenCheckout['provider'] = 'test'): OpenCheckout {
  const facts = { amountMinor: 100, currency: 'usd', url: null, clientSecret: null, expiresMs: startMs } as const
  return { kind: 'open_checkout', key: null, holdId, provider, providerPaymentId: `p_${holdId}`, ...facts }
}

it('listRefundDue lists what came without goods, by its event, and nothing else', () => {
  sell('hold_1')
  run(startMs, money(1), money(2, { holdId: 'hold_1', amountMinor: 1 }), money(3, { holdId: 'hold_1', amountMinor: 2 }))
  const [first, second, ...others] = queries.listRefundDue(0, 10)
  expect([first?.paymentId, second?.paymentId, others]).toEqual(['pay_2', 'pay_3', []])
  expect(queries.listRefundDue(first?.seq ?? 0, 10)).toEqual([second])
  expect(queries.listRefundDue(0, 1)).toEqual([first])
})

it('listPendingRefunds pages by time and id, without what was settled', () => {
  run(startMs, money(1), money(2), money(3))
  const part = { amountMinor: 1 }
  run(
    startMs,
    refundCommand('rfnd_b', { paymentId: 'pay_1', ...part }),
    refundCommand('rfnd_a', { paymentId: 'pay_2' }),
  )
  run(startMs + 1, refundCommand('rfnd_0', { paymentId: 'pay_3', ...part }))
  expect(queries.listPendingRefunds(firstPlace, 10).map(({ id }) => id)).toEqual(['rfnd_a', 'rfnd_b', 'rfnd_0'])
  expect(queries.listPendingRefunds({ createdMs: startMs, id: 'rfnd_a' }, 1).map(({ id }) => id)).toEqual(['rfnd_b'])
  run(startMs + 2, settleCommand('rfnd_b', 'failed'))
  expect(queries.listPendingRefunds(firstPlace, 10).map(({ id }) => id)).toEqual(['rfnd_a', 'rfnd_0'])
  expect([queries.hasRefund('pay_1'), queries.hasRefund('pay_9')]).toEqual([true, false])
})

it('listOpenCheckouts pages by time and hold, one provider’s, without closed and younger ones', () => {
  sell('hold_0', 'hold_1', 'hold_a', 'hold_b')
  run(startMs, open('hold_b'), open('hold_a'), open('hold_a', 'stripe'))
  run(startMs + 1, open('hold_0'))
  run(startMs + 2, open('hold_1'))
  const list = (after = firstPlace, limit = 10) =>
    queries.listOpenCheckouts('test', after, startMs + 2, limit).map(({ holdId }) => holdId)
  expect(list()).toEqual(['hold_a', 'hold_b', 'hold_0'])
  expect(list({ createdMs: startMs, id: 'hold_a' }, 1)).toEqual(['hold_b'])
  const { holdId, provider, providerPaymentId } = open('hold_b')
  run(startMs + 3, { kind: 'close_checkout', key: null, holdId, provider, providerPaymentId })
  expect(list()).toEqual(['hold_a', 'hold_0'])
})

it.each([
  ['refundDue', [0, 1], 'SEARCH event USING COVERING INDEX event_refund_due (seq>?)'],
  ['hasRefund', [''], 'SEARCH refund USING COVERING INDEX refund_payment (payment_id=?)'],
  ['pendingRefunds', [0, '', 1], 'SEARCH refund USING INDEX refund_pending ((created_ms,id)>(?,?))'],
  [
    'openCheckouts',
    ['', 0, '', 1, 1],
    'SEARCH checkout USING INDEX checkout_open ((created_ms,hold_id)>(?,?) AND created_ms<?)',
  ],
] as const)('%s goes through an index that ordinary payments are not in, and sorts nothing', (name, values, plan) => {
  const db = openReader(join(folder, 'penstock.db'))
  const steps = db.prepare(`EXPLAIN QUERY PLAN ${providerStatements[name]}`).all(...values) as { detail: string }[]
  db.close()
  expect(steps.map(({ detail }) => detail)).toEqual([plan])
})
