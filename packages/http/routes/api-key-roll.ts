import { firstMissing } from '@penstock/domain/api-key.ts'
import { keyOverlapDefaultMs } from '@penstock/domain/limits.ts'
import { apiKeyWithSecretObject } from '@penstock/wire/objects.ts'
import { problem } from '../problem.ts'
import { id } from '@penstock/wire/schema-fields.ts'
import { apiKeyRollBody } from '../schema.ts'
import { writeRoute } from '../serve-write.ts'
import { mintSecret, newKeyResponse } from './api-key-secret.ts'

/** `POST /v1/api_keys/{id}/roll`: a new key with the same rights; the old one works on for the overlap. */
export const apiKeyRoll = writeRoute({
  method: 'POST',
  path: '/v1/api_keys/:id/roll',
  resource: 'api_keys',
  access: 'secret',
  summary: 'Make a new API key in the place of another, which works on for the overlap',
  params: { id: id('key') },
  body: apiKeyRollBody,
  answers: { 201: apiKeyWithSecretObject },
  problems: ['not_found', 'invalid_transition'],
  toCommand: (request, { queries }) => {
    const { body, params, key, mint, credential } = request
    const apiKeyId = params[0] ?? ''
    // Kind and scopes of a key never change, so they may be read before the writer looks.
    const old = queries.findApiKey(apiKeyId)
    if (old === null) return { problem: problem('not_found', `There is no API key ${apiKeyId}.`, 'id') }
    const missing = firstMissing(credential.scopes, old.scopes)
    if (missing !== null) {
      const detail = `This key cannot roll one with the scope ${missing}: it does not have it.`
      return { problem: problem('forbidden', detail) }
    }
    return {
      kind: 'roll_key',
      key,
      apiKeyId,
      newApiKeyId: mint.id('key'),
      ...mintSecret(request, old.kind),
      overlapMs: body.overlap === undefined ? keyOverlapDefaultMs : body.overlap * 1_000,
    }
  },
  toResponse: newKeyResponse,
})
