import assert from 'node:assert/strict'
import { buyerUnitsIds } from '@penstock/domain/customer.ts'
import { orderIdOf } from '@penstock/domain/order.ts'
import { paymentKey } from '@penstock/domain/payment.ts'
import { webhookDeliveryKey } from '@penstock/domain/webhook.ts'
import { checkRefunds, earningsOf } from './money-invariants.ts'
import type { Hold } from '@penstock/domain/hold.ts'
import type { MemoryData } from './memory-store.ts'

/** What is true after every commit of any sale (promises P2, P4 and P5). Throws AssertionError, naming what is not. */
export function checkInvariants(data: MemoryData): void {
  checkStock(data)
  checkMoney(data)
  checkRefunds(data)
  checkBuyers(data)
  checkWebhooks(data)
}

function checkStock(data: MemoryData): void {
  const held = unitsBySku(data, 'active')
  const sold = unitsBySku(data, 'captured')
  for (const { skuId, restockedQuantity } of data.lineRefunds.values()) {
    sold.set(skuId, (sold.get(skuId) ?? 0) - restockedQuantity)
  }
  for (const sku of data.skus.values()) {
    assert(sku.held >= 0 && sku.sold >= 0, `${sku.id} has a negative counter`)
    assert(sku.held + sku.sold <= sku.stock, `${sku.id} is oversold`)
    assert.equal(sku.held, held.get(sku.id) ?? 0, `${sku.id}: held is not the sum over active holds`)
    assert.equal(
      sku.sold,
      sold.get(sku.id) ?? 0,
      `${sku.id}: sold is not the sum over captured holds, less what was restocked`,
    )
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
  const told = data.events.filter(({ type }) => type.startsWith('payment.'))
  const attached = payments.filter(({ attachedHoldId }) => attachedHoldId !== null)
  assert.equal(told.length, payments.length + attached.length, 'a payment has no or several events')
  const own = Map.groupBy(
    data.entries.filter(({ causeId }) => causeId === null),
    (entry) => entry.paymentId,
  )
  assert.equal(own.size, payments.length, 'a payment has no ledger entry, or an entry no payment')
  const ordersSeen = new Set<string>()
  for (const payment of payments) {
    assert.equal(data.payments.get(paymentKey(payment.provider, payment.providerPaymentId)), payment)
    assert.ok(told.some(({ type, objectId }) => objectId === payment.id && type === `payment.${payment.status}`))
    const { id: paymentId, provider, amountMinor, currency, createdMs } = payment
    const shares =
      payment.attachedHoldId === null ? earningsOf(data, payment) : [{ account: 'refunds_due', amountMinor }]
    assert.deepEqual(
      own.get(paymentId),
      shares.map((share) => ({
        paymentId,
        debit: `cash:${provider}`,
        credit: share.account,
        amountMinor: share.amountMinor,
        currency,
        createdMs,
        causeId: null,
      })),
    )
    const status =
      payment.orderId !== null ? 'captured' : payment.reason === 'unknown_hold' ? 'unmatched' : 'refund_due'
    assert.equal(payment.status, status)
    assert.equal(payment.reason === null, payment.orderId !== null, 'a reason goes with money without goods, only')
    if (payment.orderId === null) continue
    assert.equal(payment.orderId, orderIdOf(payment.id))
    const holdId = payment.attachedHoldId ?? payment.holdId
    assert.equal(ordersSeen.has(payment.orderId), false, 'two payments have one order')
    assert.equal(data.holds.get(holdId)?.status, 'captured')
    assert.equal(data.holds.get(holdId)?.amountMinor, payment.amountMinor)
    ordersSeen.add(payment.orderId)
  }
  for (const change of data.orderChanges.values()) {
    const payment = payments.find(({ id }) => id === change.paymentId)
    assert.equal(payment?.status, 'captured', 'an order changed that is not there')
    assert.equal(change.createdMs === null, payment.attachedHoldId === null, 'an order is younger than its payment')
  }
  const orders = data.orders()
  assert.deepEqual([...orders.keys()].toSorted(), [...ordersSeen].toSorted())
  const captured = [...data.holds.values()].filter((hold) => hold.status === 'captured')
  assert.equal(captured.length, orders.size, 'a captured hold has no order')
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

function checkWebhooks({ webhooks: { endpoints, secrets, deliveries }, events }: MemoryData): void {
  for (const { id, status, secretId, cursorSeq, replay } of endpoints.values()) {
    const newest = secrets.get(id)?.secrets[0]?.id
    assert.equal(newest, status === 'deleted' ? undefined : secretId, `${id} signs with another secret than it says`)
    assert.ok(Math.max(cursorSeq, replay?.toSeq ?? 0) <= events.length, `${id} is ahead of the events`)
  }
  for (const [key, { endpointId, eventSeq, status, nextAttemptMs }] of deliveries) {
    assert.equal(key, webhookDeliveryKey(endpointId, eventSeq))
    assert.ok(endpoints.has(endpointId) && eventSeq <= events.length, `${key} is of no event or to no endpoint`)
    assert.ok(status === 'pending' || nextAttemptMs === null, `${key} has ended and is to be tried`)
  }
}

function checkBuyers(data: MemoryData): void {
  const expected = new Map<string, number>()
  const restocked = new Map<string, number>()
  const orders = data.orders()
  for (const { orderId, restockedQuantity } of data.lineRefunds.values()) {
    const holdId = orders.get(orderId)?.holdId ?? ''
    restocked.set(holdId, (restocked.get(holdId) ?? 0) + restockedQuantity)
  }
  for (const hold of data.holds.values()) {
    if (hold.status !== 'active' && hold.status !== 'captured') continue
    const taken = hold.lines.reduce((sum, line) => sum + line.quantity, 0)
    const units = taken - (restocked.get(hold.id) ?? 0)
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
