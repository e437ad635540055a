import { holdTtlDefaultMs } from '@penstock/domain/limits.ts'
import { readFeeRules } from '../fee-rules.ts'
import { dropObject } from '@penstock/wire/objects.ts'
import { dropCreateBody } from '../schema.ts'
import { writeRoute } from '../serve-write.ts'
import { dropResponse } from './drop-response.ts'
import type { NewSku } from '@penstock/domain/command.ts'
import type { Static } from 'typebox'
import type { Mint } from '../mint.ts'

/** `POST /v1/drops`: a new drop, in draft. */
export const dropCreate = writeRoute({
  method: 'POST',
  path: '/v1/drops',
  resource: 'drops',
  access: 'secret',
  summary: 'Create a drop, in draft',
  params: {},
  body: dropCreateBody,
  answers: { 201: dropObject },
  problems: [],
  toCommand: ({ body, key, mint }) => {
    const fees = readFeeRules(body.fees ?? [])
    if ('problem' in fees) return fees
    return {
      kind: 'create_drop',
      key,
      dropId: mint.id('drop'),
      name: body.name,
      description: body.description ?? null,
      image: body.image ?? null,
      currency: body.currency,
      startsAtMs: toMs(body.starts_at),
      endsAtMs: toMs(body.ends_at),
      holdTtlMs: body.hold_ttl === undefined ? holdTtlDefaultMs : body.hold_ttl * 1_000,
      maxPerCustomer: body.max_per_customer ?? null,
      latePayment: body.late_payment ?? 'reacquire',
      fees,
      metadata: body.metadata ?? {},
      skus: body.skus.map((sku) => newSku(sku, mint)),
    }
  },
  toResponse: (result) => dropResponse(result, 201),
})

export function newSku(sku: Static<typeof dropCreateBody>['skus'][number], mint: Mint): NewSku {
  const { name, unit_amount: unitAmountMinor, stock, max_per_order: maxPerOrder = null } = sku
  return { id: mint.id('sku'), name, unitAmountMinor, stock, maxPerOrder }
}

function toMs(seconds: number | null | undefined): number | null {
  return seconds === undefined || seconds === null ? null : seconds * 1_000
}
