import Type from 'typebox'
import { providerNames } from '@penstock/domain/provider-fact.ts'
import { webhookObject } from '@penstock/wire/objects.ts'
import type { WebhookRoute } from '../serve-webhook.ts'

/** Checked by its signature, and then by the provider's own rules: it is theirs, and may gain fields. */
const providerEvent = Type.Object({}, { title: 'ProviderEvent', description: 'as the provider sends and signs it' })

/** `POST /v1/webhooks/{stripe,payos,test}` */
export const webhookRoutes: readonly WebhookRoute[] = providerNames.map((provider) => ({
  kind: 'webhook',
  method: 'POST',
  path: `/v1/webhooks/${provider}`,
  provider,
  summary: `Take a signed event of ${provider}; answered once it is committed`,
  body: providerEvent,
  answers: { 200: webhookObject },
  problems: [],
}))
