import { expected } from '../expected.ts'
import { apiKeyObject } from '@penstock/wire/objects.ts'
import { jsonAnswer } from '../route.ts'
import { id } from '@penstock/wire/schema-fields.ts'
import { emptyBody } from '../schema.ts'
import { writeRoute } from '../serve-write.ts'
import { wireApiKey } from '@penstock/wire/wire.ts'

/** `POST /v1/api_keys/{id}/revoke`: ends the key at once. */
export const apiKeyRevoke = writeRoute({
  method: 'POST',
  path: '/v1/api_keys/:id/revoke',
  resource: 'api_keys',
  access: 'secret',
  summary: 'End an API key at once',
  params: { id: id('key') },
  body: emptyBody,
  answers: { 200: apiKeyObject },
  problems: ['not_found', 'last_secret_key'],
  toCommand: ({ params, key }) => ({ kind: 'revoke_key', key, apiKeyId: params[0] ?? '' }),
  toResponse: (result) => {
    const { apiKey } = expected(result, 'api_key_saved')
    return jsonAnswer(200, wireApiKey(apiKey))
  },
})
