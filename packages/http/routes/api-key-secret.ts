import { hash } from 'node:crypto'
import { secretHint } from '@penstock/domain/api-key.ts'
import { expected } from '../expected.ts'
import { jsonAnswer } from '../route.ts'
import { wireNewApiKey } from '@penstock/wire/wire.ts'
import type { ApiKey, ApiKeyKind } from '@penstock/domain/api-key.ts'
import type { Accepted } from '@penstock/domain/result.ts'
import type { WriteRequest } from '../serve-write.ts'

/** Secrets of requests under way: from here they go into the answer, and nowhere else. */
const secrets = new WeakMap<object, string>()

/** Makes a secret for this request. Only what is returned may leave the process before the answer. */
export function mintSecret(request: WriteRequest<unknown>, kind: ApiKeyKind): Pick<ApiKey, 'secretHash' | 'hint'> {
  const secret = request.mint.apiKeySecret(kind)
  secrets.set(request, secret)
  return { secretHash: hash('sha256', secret), hint: secretHint(secret) }
}

/**
 * 201 with the key, and with its secret when it was made by this very request. A replay tells of a key that an earlier
 * request made: its secret was shown then, and nobody has kept it.
 */
export function newKeyResponse(result: Accepted, request: WriteRequest<unknown>) {
  const { apiKey } = expected(result, 'api_key_saved')
  const secret = secrets.get(request)
  const isOwn = secret !== undefined && hash('sha256', secret) === apiKey.secretHash
  return jsonAnswer(201, wireNewApiKey(apiKey, isOwn ? secret : null))
}
