import assert from 'node:assert/strict'
import { buyerUnitsIds } from '@penstock/domain/customer.ts'
import { paymentKey } from '@penstock/domain/payment.ts'
import type { Hold } from '@penstock/domain/hold.ts'
import type { MemoryData } from './memory-store.ts'

/** What is true after every commit of any sale (promises P2, P4 and P5). Throws AssertionError, naming what is not. */
export function checkInvariants(data: MemoryData): void {
  checkStock(data)
  checkMoney(data)
  checkBuyers(data)
}

function checkStock(data: MemoryData): void {
  const held = unitsBySku(data, 'active')
  const sold = unitsBySku(data, 'captured')
  for (const sku of data.skus.values()) {
    assert(sku.held >= 0 && sku.sold >= 0, `${sku.id} has a negative counter`)
    assert(sku.held + sku.sold <= sku.stock, `${sku.id} is oversold`)
    assert.equal(sku.held, held.get(sku.id) ?? 0, `${sku.id}: held is not the sum over active holds`)
    assert.equal(sku.sold, sold.get(sku.id) ?? 0, `${sku.id}: sold is not the sum over captured holds`)
  }
}

function unitsBySku(data: MemoryData, status: Hold['status']): Map<string, number> {
  const units = new Map<string, number>()
  for (const hold of data.holds.values()) {
    if (hold.status !== status) continue
    for (const { skuId, quantity } of hold.lines) units.set(skuId, (units.get(skuId) ?? 0) + quantity)
  }
  return units
}

function checkMoney(data: MemoryData): void {
  const payments = [...data.payments.values()]
  const entries = Map.groupBy(data.entries, (entry) => entry.paymentId)
  assert.equal(entries.size, payments.length, 'a payment has no ledger entry, or an entry no payment')
  const ordersSeen = new Set<string>()
  for (const payment of payments) {
    assert.equal(data.payments.get(paymentKey(payment.provider, payment.providerPaymentId)), payment)
    const { id: paymentId, provider, amountMinor, currency, createdMs } = payment
    const entry = { paymentId, debit: `cash:${provider}`, currency, createdMs }
    const fees = payment.orderId === null ? [] : (data.holds.get(payment.holdId)?.fees ?? [])
    const goodsMinor = fees.reduce((rest, fee) => rest - fee.amountMinor, amountMinor)
    assert.deepEqual(entries.get(paymentId), [
      { ...entry, credit: payment.orderId === null ? 'refunds_due' : 'sales', amountMinor: goodsMinor },
      ...fees.map((fee) => ({ ...entry, credit: `fees:${fee.kind}`, amountMinor: fee.amountMinor })),
    ])
    const status =
      payment.orderId !== null ? 'captured' : payment.reason === 'unknown_hold' ? 'unmatched' : 'refund_due'
    assert.equal(payment.status, status)
    assert.equal(payment.reason === null, payment.orderId !== null, 'a reason goes with money without goods, only')
    if (payment.orderId === null) continue
    const order = data.orders.get(payment.orderId)
    assert.equal(order?.paymentId, payment.id, 'a captured payment has no order of its own')
    assert.equal(order?.holdId, payment.holdId)
    assert.equal(data.holds.get(payment.holdId)?.status, 'captured')
    assert.equal(data.holds.get(payment.holdId)?.amountMinor, payment.amountMinor)
    ordersSeen.add(payment.orderId)
  }
  assert.equal(data.orders.size, ordersSeen.size, 'an order has no captured payment')
  const captured = [...data.holds.values()].filter((hold) => hold.status === 'captured')
  assert.equal(captured.length, data.orders.size, 'a captured hold has no order')
  checkBalances(data)
}

function checkBalances(data: MemoryData): void {
  const fold = new Map<string, number>()
  for (const { debit, credit, amountMinor, currency } of data.entries) {
    fold.set(`${debit} ${currency}`, (fold.get(`${debit} ${currency}`) ?? 0) + amountMinor)
    fold.set(`${credit} ${currency}`, (fold.get(`${credit} ${currency}`) ?? 0) - amountMinor)
  }
  assert.deepEqual(Object.fromEntries(data.balances), Object.fromEntries(fold))
  for (const currency of new Set(data.entries.map((entry) => entry.currency))) {
    const accounts = [...fold].filter(([account]) => account.endsWith(` ${currency}`))
    assert.equal(
      accounts.reduce((sum, [, balance]) => sum + balance, 0),
      0,
      `the ledger does not balance in ${currency}`,
    )
  }
}

function checkBuyers(data: MemoryData): void {
  const expected = new Map<string, number>()
  for (const hold of data.holds.values()) {
    if (hold.status !== 'active' && hold.status !== 'captured') continue
    const units = hold.lines.reduce((sum, line) => sum + line.quantity, 0)
    for (const id of buyerUnitsIds(hold.dropId, hold.customer)) {
      expected.set(id, (expected.get(id) ?? 0) + units)
    }
  }
  for (const drop of data.drops.values()) {
    // Nothing is counted without a limit, and a limit that was taken away never comes back.
    if (drop.maxPerCustomer === null) continue
    const ids = new Set([...expected.keys(), ...data.buyers.keys()].filter((id) => id.startsWith(`${drop.id} `)))
    for (const id of ids) assert.equal(data.buyers.get(id)?.units ?? 0, expected.get(id) ?? 0, `units of ${id}`)
  }
}
