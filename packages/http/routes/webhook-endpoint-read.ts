import { listOf, webhookEndpointObject } from '@penstock/wire/objects.ts'
import { id } from '@penstock/wire/schema-fields.ts'
import { wireList, wireWebhookEndpoint } from '@penstock/wire/wire.ts'
import { problem } from '../problem.ts'
import { toJson } from '../route.ts'
import { readRoute } from '../serve-read.ts'

/** `GET /v1/webhook_endpoints`: all of them, oldest first, in one page. */
export const webhookEndpointList = readRoute({
  path: '/v1/webhook_endpoints',
  resource: 'webhooks',
  access: 'secret',
  summary: 'List webhook endpoints, oldest first, without their secrets',
  params: {},
  answer: listOf(webhookEndpointObject, 'WebhookEndpointList'),
  problems: [],
  read: (_, { queries }) => ({
    json: toJson(wireList(queries.listWebhookEndpoints().map(wireWebhookEndpoint), false)),
  }),
})

/** `GET /v1/webhook_endpoints/{id}` */
export const webhookEndpointFind = readRoute({
  path: '/v1/webhook_endpoints/:id',
  resource: 'webhooks',
  access: 'secret',
  summary: 'Read a webhook endpoint, without its secrets',
  params: { id: id('webhook_endpoint') },
  answer: webhookEndpointObject,
  problems: ['not_found'],
  read: ({ params }, { queries }) => {
    const endpointId = params[0] ?? ''
    const endpoint = queries.findWebhookEndpoint(endpointId)
    if (endpoint !== null) return { json: toJson(wireWebhookEndpoint(endpoint)) }
    return { problem: problem('not_found', `There is no webhook endpoint ${endpointId}.`, 'id') }
  },
})
