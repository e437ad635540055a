import { firstMissing } from '@penstock/domain/api-key.ts'
import { apiKeyWithSecretObject } from '@penstock/wire/objects.ts'
import { problem } from '../problem.ts'
import { apiKeyCreateBody } from '../schema.ts'
import { writeRoute } from '../serve-write.ts'
import { mintSecret, newKeyResponse } from './api-key-secret.ts'
import type { Scope } from '@penstock/domain/api-key.ts'
import type { Credential } from '@penstock/store/queries.ts'
import type { Static } from 'typebox'
import type { Problem } from '../problem.ts'

/** `POST /v1/api_keys`: the answer is the only one that ever shows the secret. */
export const apiKeyCreate = writeRoute({
  method: 'POST',
  path: '/v1/api_keys',
  resource: 'api_keys',
  access: 'secret',
  summary: 'Make an API key; its secret is shown this once',
  params: {},
  body: apiKeyCreateBody,
  answers: { 201: apiKeyWithSecretObject },
  problems: [],
  toCommand: (request) => {
    const { body, key, mint, credential } = request
    const granted = readScopes(body, credential)
    if ('problem' in granted) return granted
    const expiresAt = body.expires_at ?? null
    return {
      kind: 'create_key',
      key,
      apiKeyId: mint.id('key'),
      keyKind: body.kind,
      name: body.name ?? null,
      scopes: granted.scopes,
      ...mintSecret(request, body.kind),
      expiresAtMs: expiresAt === null ? null : expiresAt * 1_000,
    }
  },
  toResponse: newKeyResponse,
})

/** Nobody can give away more than they have. */
function readScopes(
  body: Static<typeof apiKeyCreateBody>,
  credential: Credential,
): { scopes: readonly Scope[] } | { problem: Problem } {
  if (body.kind === 'publishable') {
    if (body.scopes === undefined) return { scopes: [] }
    const detail = 'A publishable key has no scopes: what it may do is fixed.'
    return { problem: problem('invalid_request', detail, 'scopes') }
  }
  const scopes = body.scopes ?? ['*']
  const missing = firstMissing(credential.scopes, scopes)
  if (missing === null) return { scopes }
  return { problem: problem('forbidden', `This key cannot grant the scope ${missing}: it does not have it.`, 'scopes') }
}
