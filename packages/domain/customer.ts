import { hash } from 'node:crypto'

/** Who buys. Every field but the e-mail address may be absent. */
export interface Customer {
  readonly email: string
  readonly phone: string | null
  readonly externalId: string | null
  readonly name: string | null
  readonly shippingAddress: ShippingAddress | null
}

export interface ShippingAddress {
  readonly line1: string
  readonly line2: string | null
  readonly city: string
  readonly state: string | null
  readonly postalCode: string | null
  readonly country: string
}

/**
 * The keys a per-customer limit counts by; all of them must pass, so that a second e-mail with the same phone is the
 * same buyer. The e-mail is folded to lower case and its `+tag` removed, because both reach the same mailbox at the
 * large providers; dots are kept, because only some providers ignore them.
 */
export function buyerKeys(customer: Customer): string[] {
  const keys = [`email:${normaliseEmail(customer.email)}`]
  if (customer.phone !== null) keys.push(`phone:${normalisePhone(customer.phone)}`)
  if (customer.externalId !== null) keys.push(`external:${customer.externalId}`)
  return keys
}

function normaliseEmail(email: string): string {
  const folded = email.normalize('NFKC').toLowerCase()
  const at = folded.lastIndexOf('@')
  const plus = folded.indexOf('+')
  return plus > 0 && plus < at ? folded.slice(0, plus) + folded.slice(at) : folded
}

/** Digits with one leading `+` when there was one; `00` at the start is the same as `+`. */
function normalisePhone(phone: string): string {
  const digits = phone.replace(/\D/g, '')
  if (phone.trim().startsWith('+')) return `+${digits}`
  return digits.startsWith('00') ? `+${digits.slice(2)}` : digits
}

/** What is left of a customer who was erased: the ids of the counters their units count in, so that these stay right. */
export interface ErasedCustomer {
  /** Empty where the drop counts nothing. */
  readonly countedIn: readonly string[]
}

export function isErased(customer: Customer | ErasedCustomer): customer is ErasedCustomer {
  return 'countedIn' in customer
}

/** Units one buyer holds or owns in one drop, under one of their keys. */
export interface BuyerUnits {
  /** `buyerUnitsId(dropId, buyerKey)` */
  readonly id: string
  readonly units: number
}

/** 22 characters of base64url: 132 bits of SHA-256, so that no two buyers share a counter by accident. */
const digestLength = 22

/**
 * `drop_... email:<digest>`: the counter of a buyer key in one drop. Not the key itself, so that a customer can be erased
 * while the units still count. The digest says nothing by itself and differs from drop to drop; but who has the
 * database and guesses an address can check the guess.
 */
export function buyerUnitsId(dropId: string, buyerKey: string): string {
  const kind = buyerKey.slice(0, buyerKey.indexOf(':'))
  return `${dropId} ${kind}:${hash('sha256', `${dropId} ${buyerKey}`, 'base64url').slice(0, digestLength)}`
}

/** Every counter that units of this customer count in. */
export function buyerUnitsIds(dropId: string, customer: Customer | ErasedCustomer): readonly string[] {
  if (isErased(customer)) return customer.countedIn
  return buyerKeys(customer).map((key) => buyerUnitsId(dropId, key))
}
