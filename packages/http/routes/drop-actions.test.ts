import { expect, it } from 'vitest'
import { Mint } from '../mint.ts'
import { dropActions, dropRestock } from './drop-actions.ts'
import type { ProviderCalls } from '../provider-calls.ts'
import type { Queries } from '@penstock/store/queries.ts'
import type { WriteRequest } from '../serve-write.ts'

function request<Body>(body: Body): WriteRequest<Body> {
  const mint = new Mint(() => 0)
  const credential = { id: 'key_1', kind: 'secret', scopes: ['*'], expiresMs: null } as const
  const ownKey = () => ({ id: mint.key(), fingerprint: 'f' })
  return { body, params: ['drop_1'], credential, clientSecret: '', minSeq: 0, key: null, ownKey, mint, nowMs: 0 }
}

/** These routes read nothing. */
const noDeps = {
  queries: {} as Queries,
  providers: {},
  providerCalls: {} as ProviderCalls,
  webhookUrlRules: { allowPrivate: false, httpsOnly: true },
}

it.each(dropActions.map((route) => [route.path, route] as const))(
  'dropActions gives %s a key of its own when the client sent none, so that a late resend is a replay',
  (_, route) => {
    expect(route.toCommand(request({}), noDeps)).toMatchObject({ dropId: 'drop_1', key: { fingerprint: 'f' } })
  },
)

it('dropRestock refuses to change nothing', () => {
  const body = Buffer.from(JSON.stringify({ sku: `sku_${'0'.repeat(26)}`, quantity: 0 }))
  const parsed = dropRestock.parseBody(body, 'application/json')
  expect(parsed).toMatchObject({ problem: { code: 'invalid_request', param: 'quantity' } })
})
