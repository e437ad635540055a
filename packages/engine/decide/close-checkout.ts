import { checkoutKey } from '@penstock/domain/checkout.ts'
import { holdStatusAt } from '@penstock/domain/hold.ts'
import { providerNames } from '@penstock/domain/provider-fact.ts'
import { endHold } from '../stock.ts'
import type { CloseCheckout } from '@penstock/domain/command.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'

/**
 * Nobody can pay this any more. Only a payment that we opened ends its hold, and only as the last open one: a buyer may
 * have begun another. One that is unknown, or of another payment, changes nothing.
 */
export function closeCheckout(set: WorkingSet, command: CloseCheckout, nowMs: number): Result {
  const { holdId, provider, providerPaymentId } = command
  const key = checkoutKey(holdId, provider)
  const checkout = set.checkouts.find(key)
  const isKnown = checkout?.providerPaymentId === providerPaymentId
  if (checkout === undefined || !isKnown || checkout.state === 'closed') {
    return { outcome: 'checkout_closed', isClosed: isKnown, replayed: false }
  }

  // Point of no return.
  set.checkouts.update(key, { ...checkout, state: 'closed' })
  const hold = set.holds.find(holdId)
  const isOpenElsewhere = providerNames.some((name) => set.checkouts.find(checkoutKey(holdId, name))?.state === 'open')
  if (hold !== undefined && !isOpenElsewhere && holdStatusAt(hold, nowMs) === 'active') {
    endHold(set, hold, 'released', nowMs)
  }
  return { outcome: 'checkout_closed', isClosed: true, replayed: false }
}
