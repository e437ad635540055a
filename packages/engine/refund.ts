import { refundsDueAccount } from '@penstock/domain/ledger-entry.ts'
import { amountLeft, paidHoldId, paymentKey } from '@penstock/domain/payment.ts'
import { lineRefundKey, manualProvider } from '@penstock/domain/refund.ts'
import { rejected } from '@penstock/domain/result.ts'
import { demandBySku } from '@penstock/domain/units.ts'
import { found } from './found.ts'
import { cashOf, giveBack, post, takeBack } from './ledger.ts'
import { lineRefundsOf, paymentOf } from './order-facts.ts'
import { countBuyerUnits, isShort, limitCounters, moveUnits, totalQuantity } from './stock.ts'
import type { CreateRefund } from '@penstock/domain/command.ts'
import type { Payment } from '@penstock/domain/payment.ts'
import type { LineRefund, Refund, RefundLine } from '@penstock/domain/refund.ts'
import type { Rejected } from '@penstock/domain/result.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'

/** What a refund is asked to do, whichever command asks. */
export type RefundWish = Pick<CreateRefund, 'refundId' | 'amountMinor' | 'lines' | 'restock' | 'reason'>

/**
 * The refund of `payment` that was wished for, pending, or why there cannot be one. Changes nothing. Refusals in order
 * of precedence: lines although there is no order, a SKU that is not of the order, more units than are left, units to
 * restock although there are none, more money than is left, nothing at all.
 */
export function planRefund(set: WorkingSet, payment: Payment, wish: RefundWish, nowMs: number): Refund | Rejected {
  const known = lineRefundsOf(set, payment)
  const refusal = wish.lines === null ? null : checkLines(known, payment, wish.lines)
  if (refusal !== null) return refusal
  const lines = wishedLines(known, wish)
  if (wish.restock && lines.length === 0) {
    return rejected(
      'invalid_request',
      'restock',
      'This refund has no units to put back on sale: give lines, or no amount.',
    )
  }
  const left = amountLeft(payment)
  const amountMinor = wish.amountMinor ?? (wish.lines === null ? left : priceOf(set, payment, lines))
  if (amountMinor > left) {
    return rejected('refund_too_large', 'amount', `${amountMinor} is more than the ${left} that are left to refund.`)
  }
  if (amountMinor === 0 && lines.length === 0) {
    return rejected('refund_too_large', 'amount', 'There is nothing to refund.')
  }
  return {
    id: wish.refundId,
    paymentId: payment.id,
    orderId: payment.orderId,
    amountMinor,
    currency: payment.currency,
    lines,
    restock: wish.restock,
    reason: wish.reason,
    createdMs: nowMs,
    status: 'pending',
    settledMs: null,
  }
}

function checkLines(known: readonly LineRefund[], payment: Payment, lines: readonly RefundLine[]): Rejected | null {
  if (payment.orderId === null) {
    return rejected('invalid_request', 'lines', `Payment ${payment.id} has no order, so there are no lines to refund.`)
  }
  const demand = demandBySku(lines)
  for (const [index, { skuId }] of lines.entries()) {
    const line = known.find((row) => row.skuId === skuId)
    if (line === undefined) return rejected('not_found', `lines[${index}].sku`, `The order has no SKU ${skuId}.`)
    const left = line.paidQuantity - line.refundedQuantity
    const wanted = demand.get(skuId) ?? 0
    if (wanted > left) {
      return rejected('refund_too_large', `lines[${index}].quantity`, `${left} units of ${skuId} are left to refund.`)
    }
  }
  return null
}

/** One line a SKU. A refund of all that is left counts all units that are left. */
function wishedLines(known: readonly LineRefund[], { amountMinor, lines }: RefundWish): RefundLine[] {
  if (lines !== null) return [...demandBySku(lines)].map(([skuId, quantity]) => ({ skuId, quantity }))
  if (amountMinor !== null) return []
  return known
    .map((line) => ({ skuId: line.skuId, quantity: line.paidQuantity - line.refundedQuantity }))
    .filter((line) => line.quantity > 0)
}

/** At the prices that were paid. All lines of one SKU in a hold have one price. */
function priceOf(set: WorkingSet, payment: Payment, lines: readonly RefundLine[]): number {
  if (payment.orderId === null) return 0
  const hold = found(set.holds, paidHoldId(payment))
  const prices = new Map(hold.lines.map((line) => [line.skuId, line.unitAmountMinor]))
  return lines.reduce((sum, { skuId, quantity }) => sum + (prices.get(skuId) ?? 0) * quantity, 0)
}

/**
 * Carries out a planned refund: the money is owed to the buyer from now on. It succeeds at once when nobody has to be
 * asked: the seller pays by hand, or there is no money in it.
 */
export function startRefund(set: WorkingSet, payment: Payment, refund: Refund, nowMs: number): Refund {
  takeBack(set, payment, { causeId: refund.id, nowMs }, refundsDueAccount, refund.amountMinor)
  savePayment(set, { ...payment, refundedMinor: payment.refundedMinor + refund.amountMinor })
  countLines(set, refund, (line, quantity) => ({ ...line, refundedQuantity: line.refundedQuantity + quantity }))
  set.refunds.insert(refund.id, refund)
  set.events.append({ type: 'refund.created', objectId: refund.id, createdMs: nowMs })
  const isSettled = payment.provider === manualProvider || refund.amountMinor === 0
  return isSettled ? succeed(set, refund, nowMs) : refund
}

/** The money left. Units go back on sale now, and not before: a refund that fails must not have sold them again. */
export function succeed(set: WorkingSet, refund: Refund, nowMs: number): Refund {
  const payment = paymentOf(set, refund)
  const { amountMinor } = refund
  post(set, payment, { causeId: refund.id, nowMs }, { debit: refundsDueAccount, credit: cashOf(payment), amountMinor })
  if (refund.restock) restock(set, refund)
  return settle(set, refund, 'succeeded', nowMs)
}

/** The money stays: its amount and its units may be refunded again. */
export function fail(set: WorkingSet, refund: Refund, nowMs: number): Refund {
  const payment = paymentOf(set, refund)
  giveBack(set, payment, { causeId: refund.id, nowMs }, refundsDueAccount, refund.amountMinor)
  savePayment(set, { ...payment, refundedMinor: payment.refundedMinor - refund.amountMinor })
  countLines(set, refund, (line, quantity) => ({ ...line, refundedQuantity: line.refundedQuantity - quantity }))
  return settle(set, refund, 'failed', nowMs)
}

/** One that we hear of when it has failed: the money never moved. */
export function insertFailed(set: WorkingSet, refund: Refund, nowMs: number): void {
  set.refunds.insert(refund.id, { ...refund, status: 'failed', settledMs: nowMs })
  set.events.append({ type: 'refund.created', objectId: refund.id, createdMs: nowMs })
  set.events.append({ type: 'refund.failed', objectId: refund.id, createdMs: nowMs })
}

/**
 * The money of a refund that succeeded came back: as if it had failed at once. Units that were put back on sale are the
 * buyer's again if they are left; else they stay sold to others, as a refund of units without money, `keptId`.
 */
export function reverse(set: WorkingSet, refund: Refund, keptId: string, nowMs: number): Refund {
  const payment = paymentOf(set, refund)
  const cause = { causeId: refund.id, nowMs }
  const { amountMinor } = refund
  post(set, payment, cause, { debit: cashOf(payment), credit: refundsDueAccount, amountMinor })
  giveBack(set, payment, cause, refundsDueAccount, amountMinor)
  savePayment(set, { ...payment, refundedMinor: payment.refundedMinor - amountMinor })
  if (refund.restock && isShort(set, refund.lines, [])) keepUnits(set, refund, keptId, nowMs)
  else {
    const back = refund.restock ? 1 : 0
    if (refund.restock) unrestock(set, refund)
    countLines(set, refund, (line, quantity) => ({
      ...line,
      refundedQuantity: line.refundedQuantity - quantity,
      restockedQuantity: line.restockedQuantity - back * quantity,
    }))
  }
  return settle(set, refund, 'failed', nowMs)
}

function keepUnits(set: WorkingSet, refund: Refund, keptId: string, nowMs: number): void {
  const kept: Refund = {
    ...refund,
    id: keptId,
    amountMinor: 0,
    createdMs: nowMs,
    status: 'succeeded',
    settledMs: nowMs,
  }
  set.refunds.insert(keptId, kept)
  set.events.append({ type: 'refund.created', objectId: keptId, createdMs: nowMs })
  set.events.append({ type: 'refund.succeeded', objectId: keptId, createdMs: nowMs })
}

function unrestock(set: WorkingSet, refund: Refund): void {
  if (refund.orderId === null) return
  const hold = found(set.holds, paidHoldId(paymentOf(set, refund)))
  moveUnits(set, refund.lines, { held: 0, sold: 1 })
  countBuyerUnits(set, limitCounters(found(set.drops, hold.dropId), hold.customer), totalQuantity(refund.lines))
}

function settle(set: WorkingSet, refund: Refund, status: 'succeeded' | 'failed', nowMs: number): Refund {
  const settled: Refund = { ...refund, status, settledMs: nowMs }
  set.refunds.update(refund.id, settled)
  set.events.append({ type: `refund.${status}`, objectId: refund.id, createdMs: nowMs })
  return settled
}

function restock(set: WorkingSet, refund: Refund): void {
  if (refund.orderId === null) return
  const hold = found(set.holds, paidHoldId(paymentOf(set, refund)))
  moveUnits(set, refund.lines, { held: 0, sold: -1 })
  countBuyerUnits(set, limitCounters(found(set.drops, hold.dropId), hold.customer), -totalQuantity(refund.lines))
  countLines(set, refund, (line, quantity) => ({ ...line, restockedQuantity: line.restockedQuantity + quantity }))
}

function countLines(set: WorkingSet, refund: Refund, change: (line: LineRefund, quantity: number) => LineRefund): void {
  if (refund.orderId === null) return
  const known = lineRefundsOf(set, paymentOf(set, refund))
  for (const { skuId, quantity } of refund.lines) {
    const line = known.find((row) => row.skuId === skuId)
    if (line === undefined) throw new Error(`refund ${refund.id} names ${skuId}, which its order does not have`)
    const key = lineRefundKey(line.orderId, skuId)
    const isKnown = set.lineRefunds.find(key) !== undefined
    if (isKnown) set.lineRefunds.update(key, change(line, quantity))
    else set.lineRefunds.insert(key, change(line, quantity))
  }
}

/** Saves what changed of a payment. */
export function savePayment(set: WorkingSet, payment: Payment): void {
  set.payments.update(paymentKey(payment.provider, payment.providerPaymentId), payment)
}
