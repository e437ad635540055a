import { bodyParser } from '../json-body.ts'
import { expected } from '../expected.ts'
import { emptyBody } from '../schema.ts'
import { wireApiKey } from '../wire.ts'
import type { Static } from 'typebox'
import type { WriteRoute } from '../serve-write.ts'

/** `POST /v1/api_keys/{id}/revoke`: ends the key at once. */
export const apiKeyRevoke: WriteRoute<Static<typeof emptyBody>> = {
  method: 'POST',
  path: '/v1/api_keys/:id/revoke',
  resource: 'api_keys',
  access: 'secret',
  parseBody: bodyParser(emptyBody),
  toCommand: ({ params, key }) => ({ kind: 'revoke_key', key, apiKeyId: params[0] ?? '' }),
  toResponse: (result) => {
    const { apiKey } = expected(result, 'api_key_saved')
    return { status: 200, json: JSON.stringify(wireApiKey(apiKey)) }
  },
}
