import { isDeepStrictEqual } from 'node:util'
import { webhookAttemptsKept } from '@penstock/domain/limits.ts'
import { webhookDeliveryKey } from '@penstock/domain/webhook.ts'
import { findWebhookEndpoint } from '../webhook-endpoint.ts'
import type { RecordWebhookOutcomes } from '@penstock/domain/command.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { WebhookAttempt, WebhookEndpoint, WebhookOutcome } from '@penstock/domain/webhook.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'

/** Keeps what the courier has done at one endpoint: its word is taken, it is the only one who knows. */
export function recordWebhookOutcomes(set: WorkingSet, command: RecordWebhookOutcomes, nowMs: number): Result {
  const endpoint = findWebhookEndpoint(set, command.endpointId)
  if (endpoint === undefined) return { outcome: 'webhook_outcomes_saved', count: 0, replayed: false }

  // Point of no return.
  for (const outcome of command.outcomes) saveOutcome(set, endpoint.id, outcome, nowMs)
  const moved: WebhookEndpoint = {
    ...endpoint,
    cursorSeq: Math.max(endpoint.cursorSeq, command.cursorSeq),
    replay: movedReplay(endpoint, command),
    failingSinceMs: endpoint.status === 'enabled' ? command.failingSinceMs : endpoint.failingSinceMs,
  }
  const disabled = disable(set, moved, command, nowMs)
  if (!isDeepStrictEqual(disabled, endpoint)) set.webhooks.endpoints.update(endpoint.id, disabled)
  return { outcome: 'webhook_outcomes_saved', count: command.outcomes.length, replayed: false }
}

function saveOutcome(set: WorkingSet, endpointId: string, outcome: WebhookOutcome, nowMs: number): void {
  const { eventSeq, status, failures, nextAttemptMs, attempt } = outcome
  const key = webhookDeliveryKey(endpointId, eventSeq)
  const known = set.webhooks.deliveries.find(key)
  const attempts = withAttempt(known?.attempts ?? [], attempt)
  const facts = { endpointId, eventSeq, status, failures, nextAttemptMs, attempts }
  if (known === undefined) set.webhooks.deliveries.insert(key, { ...facts, createdMs: nowMs })
  else set.webhooks.deliveries.update(key, { ...facts, createdMs: known.createdMs })
}

/** A report that is sent again after a writer restart tells of the same attempt. */
function withAttempt(attempts: readonly WebhookAttempt[], attempt: WebhookAttempt | null): readonly WebhookAttempt[] {
  if (attempt === null || isDeepStrictEqual(attempts.at(-1), attempt)) return attempts
  return [...attempts, attempt].slice(-webhookAttemptsKept)
}

/** Of the replay that is under way, should it still be the one that is reported on. */
function movedReplay(
  { replay }: WebhookEndpoint,
  { replay: reported }: RecordWebhookOutcomes,
): WebhookEndpoint['replay'] {
  if (replay === null || reported === null || reported.toSeq !== replay.toSeq) return replay
  const nextSeq = Math.max(replay.nextSeq, reported.nextSeq)
  return nextSeq > replay.toSeq ? null : { nextSeq, toSeq: replay.toSeq }
}

function disable(
  set: WorkingSet,
  endpoint: WebhookEndpoint,
  { disable: reason }: RecordWebhookOutcomes,
  nowMs: number,
): WebhookEndpoint {
  if (reason === null || endpoint.status !== 'enabled') return endpoint
  set.events.append({ type: 'webhook_endpoint.disabled', objectId: endpoint.id, createdMs: nowMs })
  return { ...endpoint, status: 'disabled', disabledReason: reason, revision: endpoint.revision + 1 }
}
