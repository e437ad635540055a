import { isLasting } from '@penstock/domain/command.ts'
import { isRejected, rejected } from '@penstock/domain/result.ts'
import { rememberAnswer, replayAnswer } from './answer.ts'
import { attachPayment } from './decide/attach-payment.ts'
import { cancelOrder } from './decide/cancel-order.ts'
import { capturePayment } from './decide/capture-payment.ts'
import { changeDropPhase } from './decide/change-drop-phase.ts'
import { closeCheckout } from './decide/close-checkout.ts'
import { closeDispute } from './decide/close-dispute.ts'
import { createDrop } from './decide/create-drop.ts'
import { createHold } from './decide/create-hold.ts'
import { createRefund } from './decide/create-refund.ts'
import { eraseCustomer } from './decide/erase-customer.ts'
import { createKey } from './decide/create-key.ts'
import { expireHolds } from './decide/expire-holds.ts'
import { fulfilOrder } from './decide/fulfil-order.ts'
import { openCheckout } from './decide/open-checkout.ts'
import { openDispute } from './decide/open-dispute.ts'
import { releaseHold } from './decide/release-hold.ts'
import { restockSku } from './decide/restock-sku.ts'
import { settleRefund } from './decide/settle-refund.ts'
import { revokeKey } from './decide/revoke-key.ts'
import { rollKey } from './decide/roll-key.ts'
import { takeFact } from './decide/take-fact.ts'
import { touchKeys } from './decide/touch-keys.ts'
import { updateDrop } from './decide/update-drop.ts'
import { useCode } from './decide/use-code.ts'
import { createWebhookEndpoint } from './decide/create-webhook-endpoint.ts'
import { deleteWebhookEndpoint } from './decide/delete-webhook-endpoint.ts'
import { recordWebhookOutcomes } from './decide/record-webhook-outcomes.ts'
import { replayWebhookEvents } from './decide/replay-webhook-events.ts'
import { retryWebhookDelivery } from './decide/retry-webhook-delivery.ts'
import { rotateWebhookSecret } from './decide/rotate-webhook-secret.ts'
import { updateWebhookEndpoint } from './decide/update-webhook-endpoint.ts'
import type { Command } from '@penstock/domain/command.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'

/**
 * Decides one command: reads and changes `set`, returns the outcome. Pure and synchronous: no I/O, no clock, no
 * random. Batch boundaries are unobservable: deciding `a ++ b` over one set equals deciding `a`, saving, then
 * deciding `b`.
 *
 * Throws only on a bug; the caller then discards the whole set. A refusal leaves the set untouched and does not
 * consume the request key, so that the same key may be sent again once the reason is gone (ADR-0001).
 */
export function decide(set: WorkingSet, command: Command, nowMs: number): Result {
  const { key } = command
  if (key === null) return decideEffect(set, command, nowMs)

  const record = set.requests.find(key.id)
  if (record !== undefined) {
    if (record.fingerprint === key.fingerprint) return replayAnswer(set, record)
    return rejected('key_reused', null, 'This Idempotency-Key was used before with a different request.')
  }
  const result = decideEffect(set, command, nowMs)
  if (!isRejected(result)) {
    set.requests.insert(key.id, {
      id: key.id,
      fingerprint: key.fingerprint,
      createdMs: nowMs,
      lasting: isLasting(command.kind),
      answer: rememberAnswer(result),
    })
  }
  return result
}

function decideEffect(set: WorkingSet, command: Command, nowMs: number): Result {
  switch (command.kind) {
    case 'capture_payment':
      return capturePayment(set, command, nowMs)
    case 'create_hold':
      return createHold(set, command, nowMs)
    case 'release_hold':
      return releaseHold(set, command, nowMs)
    case 'expire_holds':
      return expireHolds(set, nowMs)
    case 'create_drop':
      return createDrop(set, command, nowMs)
    case 'update_drop':
      return updateDrop(set, command, nowMs)
    case 'change_drop_phase':
      return changeDropPhase(set, command, nowMs)
    case 'restock_sku':
      return restockSku(set, command, nowMs)
    case 'attach_payment':
      return attachPayment(set, command, nowMs)
    case 'create_refund':
      return createRefund(set, command, nowMs)
    case 'settle_refund':
      return settleRefund(set, command, nowMs)
    case 'open_dispute':
      return openDispute(set, command, nowMs)
    case 'close_dispute':
      return closeDispute(set, command, nowMs)
    case 'take_fact':
      return takeFact(set, command, nowMs)
    case 'open_checkout':
      return openCheckout(set, command, nowMs)
    case 'close_checkout':
      return closeCheckout(set, command, nowMs)
    case 'cancel_order':
      return cancelOrder(set, command, nowMs)
    case 'fulfil_order':
      return fulfilOrder(set, command, nowMs)
    case 'erase_customer':
      return eraseCustomer(set, command)
    case 'use_code':
      return useCode(set, command, nowMs)
    case 'create_key':
      return createKey(set, command, nowMs)
    case 'roll_key':
      return rollKey(set, command, nowMs)
    case 'revoke_key':
      return revokeKey(set, command, nowMs)
    case 'touch_keys':
      return touchKeys(set, command, nowMs)
    case 'create_webhook_endpoint':
      return createWebhookEndpoint(set, command, nowMs)
    case 'update_webhook_endpoint':
      return updateWebhookEndpoint(set, command, nowMs)
    case 'delete_webhook_endpoint':
      return deleteWebhookEndpoint(set, command, nowMs)
    case 'rotate_webhook_secret':
      return rotateWebhookSecret(set, command, nowMs)
    case 'retry_webhook_delivery':
      return retryWebhookDelivery(set, command, nowMs)
    case 'replay_webhook_events':
      return replayWebhookEvents(set, command, nowMs)
    case 'record_webhook_outcomes':
      return recordWebhookOutcomes(set, command, nowMs)
  }
}
