import { newHold } from '@penstock/domain/hold.ts'
import { orderIdOf } from '@penstock/domain/order.ts'
import { newPayment } from '@penstock/domain/new-payment.ts'
import { FrameError } from './frame.ts'
import type { Command, CreateHold } from '@penstock/domain/command.ts'
import type { Fee } from '@penstock/domain/fee.ts'
import type { HoldLine } from '@penstock/domain/hold.ts'
import type { Currency } from '@penstock/domain/money.ts'
import type { PaymentReason } from '@penstock/domain/payment.ts'
import type { HoldCreated, PaymentRecorded, Result } from '@penstock/domain/result.ts'

/**
 * What a result says beyond the command it answers. A sale's flood is answered with new holds and new payments, and
 * those repeat their command almost word for word: the process that sent it puts them together again.
 */
export type BriefResult = BriefHold | BriefPayment

type BriefHold = readonly [
  /** Of the lines, in their order. */
  unitAmountsMinor: readonly number[],
  fees: readonly Fee[],
  amountMinor: number,
  currency: Currency,
  createdMs: number,
  expiresMs: number,
]
type BriefPayment = readonly [reason: PaymentReason | null, createdMs: number]

/** The result as it travels: in brief where it is that of a new hold or payment, else whole. */
export function briefResult(command: Command, result: Result): Result | BriefResult {
  if (result.outcome === 'payment_recorded') return isNewPayment(command, result) ? briefPayment(result) : result
  if (result.outcome === 'hold_created') return isNewHold(command, result) ? briefHold(result) : result
  return result
}

/** The reverse of `briefResult`, given the same command. Throws FrameError where the result cannot be that command's. */
export function fullResult(command: Command, result: Result | BriefResult): Result {
  if (!isBrief(result)) return result
  if (command.kind === 'capture_payment' && isBriefPayment(result)) {
    const [reason, createdMs] = result
    return {
      outcome: 'payment_recorded',
      payment: newPayment(command, reason, createdMs),
      duplicate: false,
      replayed: false,
    }
  }
  if (command.kind === 'create_hold' && !isBriefPayment(result)) {
    const [unitAmountsMinor, fees, amountMinor, currency, createdMs, expiresMs] = result
    const lines = pricedLines(command, unitAmountsMinor)
    const terms = { dropId: command.dropId, lines, fees, amountMinor, currency, createdMs, expiresMs }
    const hold = newHold(command, terms)
    return { outcome: 'hold_created', hold, replayed: false }
  }
  throw new FrameError(`a brief result of ${result.length} values does not answer ${command.kind}`)
}

/** Orders of old databases have ids of their own. */
function isNewPayment(command: Command, { payment, duplicate, replayed }: PaymentRecorded): boolean {
  if (duplicate || replayed || command.kind !== 'capture_payment' || payment.id !== command.paymentId) return false
  return payment.orderId === null || payment.orderId === orderIdOf(payment.id)
}

/** The customer of a stored hold is another object, and may have been erased. */
function isNewHold(command: Command, { hold, replayed }: HoldCreated): boolean {
  return !replayed && command.kind === 'create_hold' && hold.customer === command.customer
}

function briefPayment({ payment }: PaymentRecorded): BriefPayment {
  return [payment.reason, payment.createdMs]
}

function briefHold({ hold }: HoldCreated): BriefHold {
  const unitAmountsMinor = hold.lines.map((line) => line.unitAmountMinor)
  return [unitAmountsMinor, hold.fees, hold.amountMinor, hold.currency, hold.createdMs, hold.expiresMs]
}

function pricedLines({ lines }: CreateHold, unitAmountsMinor: readonly number[]): HoldLine[] {
  return lines.map(({ skuId, quantity }, index) => {
    const unitAmountMinor = unitAmountsMinor[index]
    if (unitAmountMinor === undefined) throw new FrameError(`line ${index} of a brief hold has no price`)
    return { skuId, quantity, unitAmountMinor }
  })
}

function isBrief(result: Result | BriefResult): result is BriefResult {
  return Array.isArray(result)
}

function isBriefPayment(result: BriefResult): result is BriefPayment {
  return result.length === 2
}
