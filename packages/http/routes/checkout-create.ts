import Type from 'typebox'
import { isErased } from '@penstock/domain/customer.ts'
import { holdStatusAt } from '@penstock/domain/hold.ts'
import { providerNames } from '@penstock/domain/provider-fact.ts'
import { idempotencyKey } from '@penstock/providers/provider.ts'
import { expected } from '../expected.ts'
import { checkoutObject } from '@penstock/wire/objects.ts'
import { problem } from '../problem.ts'
import { jsonAnswer } from '../route.ts'
import { id, url } from '@penstock/wire/schema-fields.ts'
import { writeRoute } from '../serve-write.ts'
import { wireCheckout } from '@penstock/wire/wire.ts'
import { readHoldProof, refuseHold } from './hold-access.ts'
import type { Checkout } from '@penstock/domain/checkout.ts'
import type { OpenCheckout } from '@penstock/domain/command.ts'
import type { Hold } from '@penstock/domain/hold.ts'
import type { PaymentProvider } from '@penstock/providers/provider.ts'
import type { Deps } from '../api.ts'
import type { Problem } from '../problem.ts'
import type { WriteRequest } from '../serve-write.ts'

export const checkoutCreateBody = Type.Object(
  {
    provider: Type.Enum([...providerNames], { description: `one of ${providerNames.join(', ')}`, examples: ['test'] }),
    return_url: Type.Optional(url),
  },
  { additionalProperties: false, title: 'CheckoutCreate' },
)

/**
 * `POST /v1/holds/{id}/checkout`: opens a payment at a provider, outside of any transaction, and records it. The same
 * hold and provider again: the same answer, without asking the provider.
 */
export const checkoutCreate = writeRoute({
  method: 'POST',
  path: '/v1/holds/:id/checkout',
  resource: 'holds',
  access: 'publishable',
  summary: 'Open a payment for a hold at a provider',
  params: { id: id('hold') },
  body: checkoutCreateBody,
  answers: { 201: checkoutObject },
  problems: [
    'provider_not_configured',
    'not_found',
    'invalid_client_secret',
    'hold_not_active',
    'provider_refused',
    'provider_unavailable',
  ],
  toCommand: async (request, deps) => {
    const { body, params, credential, clientSecret } = request
    if (body.return_url !== undefined && !URL.canParse(body.return_url)) {
      return { problem: problem('invalid_request', 'return_url must be a URL.', 'return_url') }
    }
    const provider = deps.providers[body.provider]
    if (provider === undefined) {
      const detail = `${body.provider} is not configured here: docs/providers.md says how.`
      return { problem: problem('provider_not_configured', detail, 'provider') }
    }
    const access = readHoldProof(credential, clientSecret)
    if ('problem' in access) return access
    const holdId = params[0] ?? ''
    const hold = deps.queries.findHold(holdId)
    if (hold === null) return { problem: problem('not_found', `There is no hold ${holdId}.`, 'id') }
    const refusal = refuseHold(hold, access.proof)
    if (refusal !== null) return { problem: refusal }
    const status = holdStatusAt(hold, request.nowMs)
    if (status !== 'active') return { problem: problem('hold_not_active', `Hold ${holdId} is ${status}.`, 'id') }
    const known = deps.queries.findCheckout(holdId, body.provider)
    return known === null ? openAt(provider, hold, request, deps) : openCommand(known, request)
  },
  toResponse: (result) => jsonAnswer(201, wireCheckout(expected(result, 'checkout_saved').checkout)),
})

type CheckoutRequest = WriteRequest<Type.Static<typeof checkoutCreateBody>>

async function openAt(
  provider: PaymentProvider,
  hold: Hold,
  request: CheckoutRequest,
  { queries, providerCalls }: Pick<Deps, 'queries' | 'providerCalls'>,
): Promise<OpenCheckout | { readonly problem: Problem }> {
  const { id: holdId, amountMinor, currency, customer, clientSecret, expiresMs } = hold
  const made = await providerCalls.open(provider, {
    holdId,
    amountMinor,
    currency,
    description: queries.findDropName(hold.dropId) ?? 'Order',
    email: isErased(customer) ? null : customer.email,
    returnUrl: request.body.return_url ?? null,
    expiresMs,
    holdSecret: clientSecret,
    idempotencyKey: idempotencyKey(holdId, 'payment'),
  })
  if ('problem' in made) return made
  return openCommand({ ...made.value, holdId, provider: provider.name, amountMinor, currency }, request)
}

function openCommand(checkout: Omit<Checkout, 'createdMs' | 'state'>, { key }: CheckoutRequest): OpenCheckout {
  const { holdId, provider, providerPaymentId, amountMinor, currency, url: page, clientSecret, expiresMs } = checkout
  const facts = { holdId, provider, providerPaymentId, amountMinor, currency, url: page, clientSecret, expiresMs }
  return { kind: 'open_checkout', key, ...facts }
}
