import { webhookOverlapDefaultMs } from '@penstock/domain/limits.ts'
import { eventSeq } from '@penstock/domain/outbox-event.ts'
import { findUrlFault } from '@penstock/domain/webhook-url.ts'
import {
  deletedWebhookEndpointObject,
  webhookEndpointObject,
  webhookEndpointWithSecretObject,
} from '@penstock/wire/objects.ts'
import { id } from '@penstock/wire/schema-fields.ts'
import { wireNewWebhookEndpoint, wireWebhookEndpoint } from '@penstock/wire/wire.ts'
import { expected } from '../expected.ts'
import { problem } from '../problem.ts'
import { jsonAnswer } from '../route.ts'
import {
  emptyBody,
  webhookEndpointCreateBody,
  webhookEndpointUpdateBody,
  webhookReplayBody,
  webhookSecretRotateBody,
} from '../schema.ts'
import { writeRoute } from '../serve-write.ts'
import type { Accepted } from '@penstock/domain/result.ts'
import type { WebhookUrlRules } from '@penstock/domain/webhook-url.ts'
import type { Queries } from '@penstock/store/queries.ts'
import type { Problem } from '../problem.ts'
import type { WriteRequest } from '../serve-write.ts'

const params = { id: id('webhook_endpoint') }

/** Secrets of requests under way, with their ids: from here they go into the command and the answer, and nowhere else. */
const secrets = new WeakMap<object, { readonly secretId: string; readonly secret: string }>()

function mintSecret(request: WriteRequest<unknown>): { readonly secretId: string; readonly secret: string } {
  const minted = { secretId: request.mint.key(), secret: request.mint.webhookSecret() }
  secrets.set(request, minted)
  return minted
}

/** With its secret when this very request made it. A replay tells of one that was shown to an earlier request. */
function withSecret<Status extends 200 | 201>(status: Status, result: Accepted, request: WriteRequest<unknown>) {
  const { endpoint } = expected(result, 'webhook_endpoint_saved')
  const minted = secrets.get(request)
  const isOwn = minted !== undefined && minted.secretId === endpoint.secretId
  return jsonAnswer(status, wireNewWebhookEndpoint(endpoint, isOwn ? minted.secret : null))
}

function checkUrl(url: string | undefined, rules: WebhookUrlRules): Problem | null {
  const fault = url === undefined ? null : findUrlFault(url, rules)
  return fault === null ? null : problem('invalid_request', `url ${fault}`, 'url')
}

/** `POST /v1/webhook_endpoints` */
export const webhookEndpointCreate = writeRoute({
  method: 'POST',
  path: '/v1/webhook_endpoints',
  resource: 'webhooks',
  access: 'secret',
  summary: 'Have events sent to a URL; the secret is shown this once',
  params: {},
  body: webhookEndpointCreateBody,
  answers: { 201: webhookEndpointWithSecretObject },
  problems: ['too_many_endpoints'],
  toCommand: (request, { webhookUrlRules }) => {
    const { body, key, mint } = request
    const refusal = checkUrl(body.url, webhookUrlRules)
    if (refusal !== null) return { problem: refusal }
    return {
      kind: 'create_webhook_endpoint',
      key,
      endpointId: mint.id('webhook_endpoint'),
      url: body.url,
      events: body.events,
      description: body.description ?? null,
      ...mintSecret(request),
    }
  },
  toResponse: (result, request) => withSecret(201, result, request),
})

/** `PATCH /v1/webhook_endpoints/{id}`: absent fields stay. */
export const webhookEndpointUpdate = writeRoute({
  method: 'PATCH',
  path: '/v1/webhook_endpoints/:id',
  resource: 'webhooks',
  access: 'secret',
  summary: 'Change a webhook endpoint, or switch it off and on',
  params,
  body: webhookEndpointUpdateBody,
  answers: { 200: webhookEndpointObject },
  problems: ['not_found'],
  toCommand: ({ body, params: [endpointId = ''], key }, { webhookUrlRules }) => {
    const refusal = checkUrl(body.url, webhookUrlRules)
    if (refusal !== null) return { problem: refusal }
    const { url, events, description, status } = body
    return {
      kind: 'update_webhook_endpoint',
      key,
      endpointId,
      changes: {
        ...(url === undefined ? {} : { url }),
        ...(events === undefined ? {} : { events }),
        ...(description === undefined ? {} : { description }),
        ...(status === undefined ? {} : { status }),
      },
    }
  },
  toResponse: (result) => {
    const { endpoint } = expected(result, 'webhook_endpoint_saved')
    return jsonAnswer(200, wireWebhookEndpoint(endpoint))
  },
})

/** `DELETE /v1/webhook_endpoints/{id}` */
export const webhookEndpointDelete = writeRoute({
  method: 'DELETE',
  path: '/v1/webhook_endpoints/:id',
  resource: 'webhooks',
  access: 'secret',
  summary: 'Delete a webhook endpoint',
  params,
  body: emptyBody,
  answers: { 200: deletedWebhookEndpointObject },
  problems: ['not_found'],
  toCommand: ({ params: [endpointId = ''], key }) => ({ kind: 'delete_webhook_endpoint', key, endpointId }),
  toResponse: (result) => {
    const { endpoint } = expected(result, 'webhook_endpoint_saved')
    return jsonAnswer(200, { id: endpoint.id, object: 'webhook_endpoint' as const, deleted: true as const })
  },
})

/** `POST /v1/webhook_endpoints/{id}/rotate_secret`: the old secret signs along for the overlap. */
export const webhookSecretRotate = writeRoute({
  method: 'POST',
  path: '/v1/webhook_endpoints/:id/rotate_secret',
  resource: 'webhooks',
  access: 'secret',
  summary: 'Give a webhook endpoint a new secret; the old one signs along for the overlap',
  params,
  body: webhookSecretRotateBody,
  answers: { 200: webhookEndpointWithSecretObject },
  problems: ['not_found'],
  toCommand: (request) => {
    const {
      body,
      params: [endpointId = ''],
      key,
    } = request
    const overlapMs = body.overlap === undefined ? webhookOverlapDefaultMs : body.overlap * 1_000
    return { kind: 'rotate_webhook_secret', key, endpointId, ...mintSecret(request), overlapMs }
  },
  toResponse: (result, request) => withSecret(200, result, request),
})

/** `POST /v1/webhook_endpoints/{id}/replay`: sends the events of a range again, those the endpoint wants now. */
export const webhookReplay = writeRoute({
  method: 'POST',
  path: '/v1/webhook_endpoints/:id/replay',
  resource: 'webhooks',
  access: 'secret',
  summary: 'Send the events of a range to a webhook endpoint again',
  params,
  body: webhookReplayBody,
  answers: { 200: webhookEndpointObject },
  problems: ['not_found', 'invalid_transition'],
  toCommand: ({ body, params: [endpointId = ''], key }, { queries }) => ({
    kind: 'replay_webhook_events',
    key,
    endpointId,
    fromSeq: firstSeq(body.from, queries),
    toSeq: body.to === undefined ? queries.lastEventSeq() : lastSeq(body.to, queries),
  }),
  toResponse: (result) => {
    const { endpoint } = expected(result, 'webhook_endpoint_saved')
    return jsonAnswer(200, wireWebhookEndpoint(endpoint))
  },
})

type EventQueries = Pick<Queries, 'firstEventSeqAt'>

/** The first event at or after the id or the second. */
function firstSeq(bound: string | number, queries: EventQueries): number {
  return typeof bound === 'number' ? queries.firstEventSeqAt(bound * 1_000) : (eventSeq(bound) ?? 1)
}

/** The last event at or before the id, or within the second. */
function lastSeq(bound: string | number, queries: EventQueries): number {
  return typeof bound === 'number' ? queries.firstEventSeqAt((bound + 1) * 1_000) - 1 : (eventSeq(bound) ?? 0)
}
