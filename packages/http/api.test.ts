import { expect, it } from 'vitest'
import { authorise } from './api.ts'
import { Credentials } from './credentials.ts'
import type { Scope } from '@penstock/domain/api-key.ts'
import type { Credential } from '@penstock/store/queries.ts'
import type { Access } from './api.ts'

function caller(kind: Credential['kind'], scopes: readonly Scope[]): Credential {
  return { id: 'key_1', kind, scopes, expiresMs: null }
}

const secret = caller('secret', ['*'])
const limited = caller('secret', ['orders:read', 'holds:write'])
const publishable = caller('publishable', [])

/** In order of precedence: is there a key, is it of the right kind, does it have the scope. */
it.each<[string, Credential | null, Access, Scope, string | null]>([
  ['no valid key', null, 'publishable', 'drops:read', 'Send a key that is valid here'],
  ['a publishable key where a secret one is needed', publishable, 'secret', 'orders:read', 'This needs a secret key'],
  ['a secret key without the scope', limited, 'secret', 'orders:write', 'This needs the scope orders:write, which'],
  ['a secret key without the scope, where any key will do', limited, 'publishable', 'drops:read', 'scope drops:read,'],
  ['a publishable key where any key will do', publishable, 'publishable', 'drops:read', null],
  ['a secret key with the scope', limited, 'secret', 'orders:read', null],
  ['a secret key with the scope, where any key will do', limited, 'publishable', 'holds:write', null],
  ['a secret key for everything', secret, 'secret', 'api_keys:write', null],
])('authorise %s', (_, credential, access, scope, detail) => {
  const credentials = new Credentials({ findCredential: () => credential }, () => 0)
  const answer = authorise('Bearer sk_test_a', access, scope, { credentials })
  if (detail === null) expect(answer).toEqual({ credential })
  else expect(answer).toMatchObject({ problem: { detail: expect.stringContaining(detail) as unknown, param: null } })
})
