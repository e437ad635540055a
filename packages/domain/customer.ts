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

/** Units one buyer holds or owns in one drop, under one of their keys. */
export interface BuyerUnits {
  /** `buyerUnitsId(dropId, buyerKey)` */
  readonly id: string
  readonly units: number
}

export function buyerUnitsId(dropId: string, buyerKey: string): string {
  return `${dropId} ${buyerKey}`
}
