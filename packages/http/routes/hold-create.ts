import { expected } from '../expected.ts'
import { holdObject } from '@penstock/wire/objects.ts'
import { problem } from '../problem.ts'
import { jsonAnswer } from '../route.ts'
import { holdCreateBody } from '../schema.ts'
import { refuseSoldOut } from '../sold-out.ts'
import { writeRoute } from '../serve-write.ts'
import { wireHold } from '@penstock/wire/wire.ts'
import type { CreateHold, HoldProof } from '@penstock/domain/command.ts'
import type { Customer, ShippingAddress } from '@penstock/domain/customer.ts'
import type { Units } from '@penstock/domain/units.ts'
import type { Credential } from '@penstock/store/queries.ts'
import type { Static } from 'typebox'
import type { Problem } from '../problem.ts'

type Body = Static<typeof holdCreateBody>

/** `POST /v1/holds`: claims units for one buyer. */
export const holdCreate = writeRoute({
  method: 'POST',
  path: '/v1/holds',
  resource: 'holds',
  access: 'publishable',
  summary: 'Claim units for one buyer: all lines or none',
  params: {},
  body: holdCreateBody,
  answers: { 201: holdObject },
  problems: ['not_found', 'not_live', 'sold_out', 'invalid_client_secret', 'hold_not_active', 'limit_reached'],
  refuseHere: ({ body }, deps) =>
    (body.replace ?? null) === null ? refuseSoldOut(deps, body.drop, readLines(body)) : null,
  toCommand: ({ body, key, mint, credential }) => {
    const replace = readReplace(body, credential)
    if (replace !== null && 'problem' in replace) return replace
    return {
      kind: 'create_hold',
      key,
      holdId: mint.id('hold'),
      clientSecret: mint.clientSecret(),
      dropId: body.drop,
      lines: readLines(body),
      customer: readCustomer(body.customer),
      replace,
    }
  },
  toResponse: (result, { credential }) => {
    const { hold } = expected(result, 'hold_created')
    return jsonAnswer(201, wireHold(hold, hold.createdMs, credential.kind))
  },
})

function readLines({ lines }: Body): Units[] {
  return lines.map(({ sku, quantity }) => ({ skuId: sku, quantity }))
}

function readReplace(body: Body, credential: Credential): CreateHold['replace'] | { problem: Problem } {
  const { replace } = body
  if (replace === undefined || replace === null) return null
  const proof: HoldProof = replace.client_secret ?? null
  if (proof === null && credential.kind !== 'secret') {
    return { problem: problem('invalid_request', 'replace.client_secret is required.', 'replace.client_secret') }
  }
  return { holdId: replace.hold, proof }
}

function readCustomer(customer: Body['customer']): Customer {
  return {
    email: customer.email,
    phone: customer.phone ?? null,
    externalId: customer.external_id ?? null,
    name: customer.name ?? null,
    shippingAddress: readAddress(customer.shipping_address ?? null),
  }
}

function readAddress(address: Body['customer']['shipping_address'] | null): ShippingAddress | null {
  if (address === null || address === undefined) return null
  return {
    line1: address.line1,
    line2: address.line2 ?? null,
    city: address.city,
    state: address.state ?? null,
    postalCode: address.postal_code ?? null,
    country: address.country,
  }
}
