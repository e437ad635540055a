import assert from 'node:assert/strict'
import { disputeKey } from '@penstock/domain/dispute.ts'
import { lineRefundKey } from '@penstock/domain/refund.ts'
import type { Payment } from '@penstock/domain/payment.ts'
import type { MemoryData } from './memory-store.ts'

/** What is true of money that goes back, after every commit of any sale. Throws AssertionError, naming what is not. */
export function checkRefunds(data: MemoryData): void {
  const entries = Map.groupBy(data.entries, (entry) => entry.paymentId)
  const refunds = Map.groupBy(data.refunds.values(), (refund) => refund.paymentId)
  const disputes = Map.groupBy(data.disputes.values(), (dispute) => dispute.paymentId)
  for (const payment of data.payments.values()) {
    const sums: Sums = {
      pending: sumOf(refunds.get(payment.id), 'pending'),
      succeeded: sumOf(refunds.get(payment.id), 'succeeded'),
      open: sumOf(disputes.get(payment.id), 'open'),
      lost: sumOf(disputes.get(payment.id), 'lost'),
    }
    const { amountMinor, refundedMinor, disputedMinor, lostMinor } = payment
    assert.equal(refundedMinor, sums.pending + sums.succeeded, `${payment.id}: refunded is not the sum of its refunds`)
    assert.equal(disputedMinor, sums.open + sums.lost, `${payment.id}: disputed is not the sum of its disputes`)
    assert.equal(lostMinor, sums.lost, `${payment.id}: lost is not the sum of its lost disputes`)
    assert(refundedMinor + disputedMinor <= amountMinor, `${payment.id} gives back more than it has`)
    assert.deepEqual(
      foldOf(entries.get(payment.id) ?? []),
      accountsOf(data, payment, sums),
      `accounts of ${payment.id}`,
    )
  }
  checkRows(data)
  checkCauses(data)
  checkLines(data)
}

interface Sums {
  readonly pending: number
  readonly succeeded: number
  readonly open: number
  readonly lost: number
}

function sumOf(rows: readonly { status: string; amountMinor: number }[] | undefined, status: string): number {
  return (rows ?? []).reduce((sum, row) => sum + (row.status === status ? row.amountMinor : 0), 0)
}

function foldOf(entries: readonly { debit: string; credit: string; amountMinor: number }[]): Record<string, number> {
  const fold: Record<string, number> = {}
  for (const { debit, credit, amountMinor } of entries) {
    fold[debit] = (fold[debit] ?? 0) + amountMinor
    fold[credit] = (fold[credit] ?? 0) - amountMinor
  }
  return withoutZeros(fold)
}

/** What a payment earns, account by account: goods, then each kind of fee. Money without goods is owed. */
export function earningsOf(data: MemoryData, payment: Payment): { account: string; amountMinor: number }[] {
  const { orderId, amountMinor } = payment
  if (orderId === null) return [{ account: 'refunds_due', amountMinor }]
  const fees = data.holds.get(payment.attachedHoldId ?? payment.holdId)?.fees ?? []
  const byKind = Map.groupBy(fees, (fee) => fee.kind)
  const feeMinor = (of: readonly { amountMinor: number }[]): number => of.reduce((sum, fee) => sum + fee.amountMinor, 0)
  return [
    { account: 'sales', amountMinor: amountMinor - feeMinor(fees) },
    ...[...byKind].map(([kind, of]) => ({ account: `fees:${kind}`, amountMinor: feeMinor(of) })),
  ].filter((share, index) => index === 0 || share.amountMinor > 0)
}

/** Where the money of a payment must be, derived from nothing but what became of its refunds and disputes. */
function accountsOf(data: MemoryData, payment: Payment, sums: Sums): Record<string, number> {
  const { provider, orderId, amountMinor } = payment
  const kept = amountMinor - sums.succeeded - sums.lost
  const accounts: Record<string, number> = { [`cash:${provider}`]: kept - sums.open, disputes: sums.open }
  if (orderId === null) return withoutZeros({ ...accounts, refunds_due: -kept })
  // Goods go back before fees.
  let gone = sums.pending + sums.succeeded + sums.lost
  for (const share of earningsOf(data, payment)) {
    const taken = Math.min(gone, share.amountMinor)
    gone -= taken
    accounts[share.account] = taken - share.amountMinor
  }
  return withoutZeros({ ...accounts, refunds_due: -sums.pending })
}

function withoutZeros(accounts: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(accounts).filter(([, balance]) => balance !== 0))
}

function checkRows(data: MemoryData): void {
  const payments = new Map([...data.payments.values()].map((payment) => [payment.id, payment]))
  for (const refund of data.refunds.values()) {
    const payment = payments.get(refund.paymentId)
    assert.equal(refund.currency, payment?.currency)
    // Only a refund that failed leaves a payment free to be attached.
    const isOlderThanOrder = refund.status === 'failed' && refund.orderId === null && payment?.attachedHoldId !== null
    if (!isOlderThanOrder) assert.equal(refund.orderId, payment?.orderId)
    assert.equal(refund.status === 'pending', refund.settledMs === null)
    assert(payment?.provider !== 'manual' || refund.status === 'succeeded', `${refund.id} is paid by hand, at once`)
  }
  for (const [key, dispute] of data.disputes) {
    assert.equal(key, disputeKey(dispute.provider, dispute.providerDisputeId))
    const payment = payments.get(dispute.paymentId)
    assert.deepEqual([dispute.currency, dispute.provider], [payment?.currency, payment?.provider])
    assert.equal(dispute.status === 'open', dispute.closedMs === null)
  }
}

/** Every entry after a payment's first names a refund, a dispute or the attached hold of that payment. */
function checkCauses(data: MemoryData): void {
  const causes = new Map<string, string>()
  for (const { id, paymentId } of [...data.refunds.values(), ...data.disputes.values()]) causes.set(id, paymentId)
  const attached = new Set<string>()
  for (const { id, attachedHoldId } of data.payments.values()) attached.add(`${id} ${attachedHoldId}`)
  for (const { paymentId, causeId, amountMinor } of data.entries) {
    if (causeId === null) continue
    const isKnown = causes.get(causeId) === paymentId || attached.has(`${paymentId} ${causeId}`)
    assert(isKnown, `${causeId} is no cause to move money of ${paymentId}`)
    assert(amountMinor > 0, `an entry for ${causeId} moves nothing`)
  }
}

function checkLines(data: MemoryData): void {
  const refunded = new Map<string, number>()
  const restocked = new Map<string, number>()
  for (const { orderId, lines, status, restock } of data.refunds.values()) {
    for (const { skuId, quantity } of lines) {
      assert(orderId !== null, 'units of no order are refunded')
      const key = lineRefundKey(orderId, skuId)
      if (status !== 'failed') refunded.set(key, (refunded.get(key) ?? 0) + quantity)
      if (status === 'succeeded' && restock) restocked.set(key, (restocked.get(key) ?? 0) + quantity)
    }
  }
  const orders = data.orders()
  for (const [key, row] of data.lineRefunds) {
    const hold = data.holds.get(orders.get(row.orderId)?.holdId ?? '')
    const paid = hold?.lines.reduce((sum, line) => sum + (line.skuId === row.skuId ? line.quantity : 0), 0)
    assert.deepEqual(row, {
      orderId: row.orderId,
      skuId: row.skuId,
      paidQuantity: paid,
      refundedQuantity: refunded.get(key) ?? 0,
      restockedQuantity: restocked.get(key) ?? 0,
    })
    assert(row.refundedQuantity <= row.paidQuantity && row.restockedQuantity <= row.refundedQuantity)
    refunded.delete(key)
  }
  assert.deepEqual([...refunded], [], 'units are refunded that no row counts')
}
