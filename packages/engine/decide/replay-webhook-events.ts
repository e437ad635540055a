import { webhookReplayEventsMax } from '@penstock/domain/limits.ts'
import { eventId } from '@penstock/domain/outbox-event.ts'
import { rejected } from '@penstock/domain/result.ts'
import { findWebhookEndpoint, noWebhookEndpoint, webhookEndpointSaved } from '../webhook-endpoint.ts'
import type { ReplayWebhookEvents } from '@penstock/domain/command.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { WebhookEndpoint } from '@penstock/domain/webhook.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'

/** Has the courier send a range of events again. What has not happened yet is left out: that is sent anyway. */
export function replayWebhookEvents(set: WorkingSet, command: ReplayWebhookEvents, _nowMs: number): Result {
  const endpoint = findWebhookEndpoint(set, command.endpointId)
  if (endpoint === undefined) return noWebhookEndpoint(command.endpointId)
  if (endpoint.status !== 'enabled') {
    return rejected('invalid_transition', 'id', 'The endpoint is disabled: enable it first.')
  }
  const toSeq = Math.min(command.toSeq, set.lastEventSeq())
  const { replay } = endpoint
  if (replay !== null) {
    if (replay.toSeq === toSeq && replay.nextSeq === command.fromSeq) return webhookEndpointSaved(endpoint)
    const detail = `The endpoint is being sent ${eventId(replay.nextSeq)} to ${eventId(replay.toSeq)} again: wait for its end.`
    return rejected('invalid_transition', 'id', detail)
  }
  if (command.fromSeq > toSeq) {
    return rejected('invalid_request', 'from', 'There is no event between from and to.')
  }
  if (toSeq - command.fromSeq >= webhookReplayEventsMax) {
    return rejected('invalid_request', 'to', `A replay may have ${webhookReplayEventsMax} events at most.`)
  }

  // Point of no return.
  const replaying: WebhookEndpoint = {
    ...endpoint,
    replay: { nextSeq: command.fromSeq, toSeq },
    revision: endpoint.revision + 1,
  }
  set.webhooks.endpoints.update(replaying.id, replaying)
  return webhookEndpointSaved(replaying)
}
