import { disputeKey } from '@penstock/domain/dispute.ts'
import { amountLeft, paymentKey } from '@penstock/domain/payment.ts'
import { factKey, factRank } from '@penstock/domain/provider-fact.ts'
import { madeAtReason } from '@penstock/domain/refund.ts'
import { endDispute, insertWon, startDispute } from './dispute.ts'
import { paymentOf } from './order-facts.ts'
import { fail, insertFailed, reverse, startRefund, succeed } from './refund.ts'
import type { Payment } from '@penstock/domain/payment.ts'
import type { DisputeFact, LaterFact, RefundFact } from '@penstock/domain/provider-fact.ts'
import type { FactTaken } from '@penstock/domain/result.ts'
import type { Refund } from '@penstock/domain/refund.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'

/**
 * Makes our rows say what a provider says of a refund or dispute. What was said before, or is behind what was said,
 * changes nothing. `waiting`, with nothing changed: the payment has no room for the amount now, or other facts.
 */
export function applyFact(
  set: WorkingSet,
  payment: Payment,
  fact: LaterFact,
  objectId: string,
  nowMs: number,
): FactTaken['effect'] {
  return fact.kind === 'refund_updated'
    ? applyRefund(set, payment, fact, objectId, nowMs)
    : applyDispute(set, payment, fact, objectId, nowMs)
}

function applyRefund(
  set: WorkingSet,
  payment: Payment,
  fact: RefundFact,
  objectId: string,
  nowMs: number,
): FactTaken['effect'] {
  const own = fact.refundId === null ? undefined : set.refunds.find(fact.refundId)
  // Made at the provider, and not by us: its id follows from the provider's.
  const refund = own?.paymentId === payment.id ? own : set.refunds.find(objectId)
  if (fact.currency !== payment.currency) return 'waiting'
  if (refund !== undefined) {
    return fact.amountMinor === refund.amountMinor ? advance(set, refund, fact, objectId, nowMs) : 'waiting'
  }
  const { status, amountMinor } = fact
  const made: Refund = {
    id: objectId,
    paymentId: payment.id,
    orderId: payment.orderId,
    amountMinor,
    currency: payment.currency,
    lines: [],
    restock: false,
    reason: madeAtReason(payment.provider),
    createdMs: nowMs,
    status: 'pending',
    settledMs: null,
  }
  if (status === 'failed') {
    insertFailed(set, made, nowMs)
    return 'applied'
  }
  if (amountMinor > amountLeft(payment)) return 'waiting'
  startRefund(set, payment, made, nowMs)
  if (status === 'succeeded') succeed(set, made, nowMs)
  return 'applied'
}

/** pending → succeeded → failed: a bank may send money back that was on its way. */
function advance(
  set: WorkingSet,
  refund: Refund,
  { status }: RefundFact,
  objectId: string,
  nowMs: number,
): FactTaken['effect'] {
  if (factRank(status) <= factRank(refund.status)) return 'applied'
  if (status === 'succeeded') succeed(set, refund, nowMs)
  else if (refund.status === 'succeeded') reverse(set, refund, objectId, nowMs)
  else fail(set, refund, nowMs)
  return 'applied'
}

function applyDispute(
  set: WorkingSet,
  payment: Payment,
  fact: DisputeFact,
  objectId: string,
  nowMs: number,
): FactTaken['effect'] {
  const { providerDisputeId, amountMinor, reason, status, currency } = fact
  const known = set.disputes.find(disputeKey(payment.provider, providerDisputeId))
  const facts = { id: objectId, providerDisputeId, amountMinor, reason }
  if (known === undefined && currency === payment.currency && status === 'won') {
    insertWon(set, payment, facts, nowMs)
    return 'applied'
  }
  if (known === undefined && (currency !== payment.currency || amountMinor > amountLeft(payment))) return 'waiting'
  const dispute = known ?? startDispute(set, payment, facts, nowMs)
  if (status !== 'open' && dispute.status === 'open') endDispute(set, dispute, status, nowMs)
  return 'applied'
}

/** Keeps a fact for later. Of two facts about one object the further one is kept. */
export function keepWaiting(
  set: WorkingSet,
  { provider, fact, objectId }: { readonly provider: string; readonly fact: LaterFact; readonly objectId: string },
  nowMs: number,
): void {
  const key = factKey(provider, fact)
  const kept = set.waitingFacts.find(key)
  const row = { provider, fact, objectId, createdMs: nowMs, isWaiting: true }
  if (kept === undefined) set.waitingFacts.insert(key, row)
  else if (!kept.isWaiting || factRank(kept.fact.status) < factRank(fact.status)) set.waitingFacts.update(key, row)
}

/**
 * Applies what waits for a payment, as far as it has room: after it came, and whenever some of its money came back.
 * One fact may make room for another, so it is gone through until nothing moves; each round ends one at least.
 */
export function applyWaitingFacts(set: WorkingSet, of: { readonly paymentId: string }, nowMs: number): void {
  const { provider, providerPaymentId } = paymentOf(set, of)
  applyWaiting(set, paymentKey(provider, providerPaymentId), nowMs)
}

/** The same by the natural key of the payment, which must be there when anything waits for it. */
export function applyWaiting(set: WorkingSet, key: string, nowMs: number): void {
  const keys = set.listWaitingFacts(key)
  if (keys.length === 0) return
  // In one order, however they came.
  let rest = [...keys].toSorted()
  let before: number
  do {
    before = rest.length
    rest = rest.filter((id) => !applyOne(set, key, id, nowMs))
  } while (rest.length < before)
}

function applyOne(set: WorkingSet, key: string, id: string, nowMs: number): boolean {
  const row = set.waitingFacts.find(id)
  const payment = set.payments.find(key)
  if (row === undefined || payment === undefined) throw new Error(`${id} waits for ${key}, and one of them is missing`)
  if (applyFact(set, payment, row.fact, row.objectId, nowMs) === 'waiting') return false
  set.waitingFacts.update(id, { ...row, isWaiting: false })
  return true
}
