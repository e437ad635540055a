import { amountMax } from '@penstock/domain/limits.ts'
import { isRecord } from './payos-api.ts'
import { isPayosSignature } from './payos-signature.ts'
import type { PaymentCapturedFact } from '@penstock/domain/provider-fact.ts'
import type { WebhookVerdict } from './provider.ts'

/** The hold whose number is this order code, or null. Synchronous: a look into this process's own reader. */
export type FindHoldId = (orderCode: number) => string | null

/** What payOS sends to see whether a webhook answers, in its documentation and when one is registered. No money. */
const exampleLinkId = '124c33293c43417ab7879e14c8d9eb18'
/** A payment id of ours has room for it and an order code (`externalIdLengthMax`). */
const referenceLengthMax = 150

/**
 * A webhook of payOS: `{code, desc, success, data, signature}`, of which only `data` is signed and only `data` is looked at.
 * It carries neither an id nor the time it was sent. So an event is named by what it is about, one transfer (`reference`)
 * to one order code; and nothing can be stale: a repetition, however late, is the same fact.
 */
export function translatePayosWebhook(rawBody: Buffer, checksumKey: string, findHoldId: FindHoldId): WebhookVerdict {
  const body = parse(rawBody)
  if (body === null || !isRecord(body['data'])) {
    return { ok: false, reason: 'bad_signature', detail: 'The body is not JSON with data and signature.' }
  }
  const { data } = body
  if (!isPayosSignature(body['signature'], data, checksumKey)) {
    return { ok: false, reason: 'bad_signature', detail: 'The field signature does not fit data and the checksum key.' }
  }
  const transfer = readTransfer(data)
  if (typeof transfer === 'string') return { ok: false, reason: 'malformed', detail: transfer }
  const eventId = `${transfer.orderCode}-${transfer.reference}`
  if (data['paymentLinkId'] === exampleLinkId) {
    return { ok: true, eventId, fact: { kind: 'ignored', why: 'This is the example of the documentation of payOS.' } }
  }
  if (data['code'] !== '00') {
    const why = 'It reports no transfer: its code is not 00.'
    return { ok: true, eventId: `${eventId}-${String(data['code'])}`, fact: { kind: 'ignored', why } }
  }
  return { ok: true, eventId, fact: capturedFact(transfer, findHoldId) }
}

export interface PayosTransfer {
  readonly orderCode: number
  /** Of the bank, one a transfer. */
  readonly reference: string
  readonly amount: number
}

/**
 * Money that arrived. Each transfer is a payment: a buyer may pay one link twice, or in parts, and all of it is money
 * that has to be accounted for. An order code that is nobody's names a hold that is not there.
 */
export function capturedFact(
  { orderCode, reference, amount }: PayosTransfer,
  findHoldId: FindHoldId,
): PaymentCapturedFact {
  return {
    kind: 'payment_captured',
    providerPaymentId: `${orderCode}-${reference}`,
    holdId: findHoldId(orderCode) ?? `payos_order_${orderCode}`,
    amountMinor: amount,
    // It has no smaller unit.
    currency: 'vnd',
  }
}

/** What is wrong with it, when it is not one. */
function readTransfer(data: Readonly<Record<string, unknown>>): PayosTransfer | string {
  const { orderCode, amount, currency, reference } = data
  if (!isWhole(orderCode)) return 'data.orderCode must be a whole number below 2^53.'
  if (!isAmount(amount)) return `data.amount must be a whole number from 1 to ${amountMax}.`
  if (typeof currency !== 'string' || currency.toUpperCase() !== 'VND') return 'data.currency must be VND.'
  if (!isReference(reference)) return `data.reference must be a text of 1 to ${referenceLengthMax} characters.`
  return { orderCode, amount, reference }
}

export function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

/** The ledger adds up no larger ones exactly. */
export function isAmount(value: unknown): value is number {
  return isWhole(value) && value >= 1 && value <= amountMax
}

/** Without what the database would not give back as it was: a NUL, half of a surrogate pair. It is part of a key. */
export function isReference(value: unknown): value is string {
  return typeof value === 'string' && value.length <= referenceLengthMax && /^[^\p{Cc}\p{Cs}]+$/u.test(value)
}

function parse(rawBody: Buffer): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(rawBody.toString('utf8'))
    return isRecord(value) ? value : null
  } catch {
    return null
  }
}
