import { checkoutKey } from '@penstock/domain/checkout.ts'
import { rejected } from '@penstock/domain/result.ts'
import type { Checkout } from '@penstock/domain/checkout.ts'
import type { OpenCheckout } from '@penstock/domain/command.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'

/**
 * Records what was opened at a provider. One that is known is answered as it is: the provider gave the same payment
 * again. Whether the hold is still active is not asked: money may come, and has its own rules.
 */
export function openCheckout(set: WorkingSet, command: OpenCheckout, nowMs: number): Result {
  const { holdId, provider, providerPaymentId, amountMinor, currency, url, clientSecret, expiresMs } = command
  const key = checkoutKey(holdId, provider)
  const known = set.checkouts.find(key)
  if (known !== undefined) return { outcome: 'checkout_saved', checkout: known, replayed: false }
  const hold = set.holds.find(holdId)
  if (hold === undefined) return rejected('not_found', 'id', `There is no hold ${holdId}.`)
  if (amountMinor !== hold.amountMinor || currency !== hold.currency) {
    return rejected('invalid_request', 'amount', `Hold ${holdId} is of ${hold.amountMinor} ${hold.currency}.`)
  }

  // Point of no return.
  const facts = { holdId, provider, providerPaymentId, amountMinor, currency, url, clientSecret, expiresMs }
  const checkout: Checkout = { ...facts, createdMs: nowMs, state: 'open' }
  set.checkouts.insert(key, checkout)
  return { outcome: 'checkout_saved', checkout, replayed: false }
}
