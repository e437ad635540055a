import { readFeeRules } from '../fee-rules.ts'
import { dropObject } from '@penstock/wire/objects.ts'
import { problem } from '../problem.ts'
import { id } from '@penstock/wire/schema-fields.ts'
import { dropUpdateBody } from '../schema.ts'
import { writeRoute } from '../serve-write.ts'
import { newSku } from './drop-create.ts'
import { dropResponse } from './drop-response.ts'
import type { DropChanges, NewSku, SkuChange } from '@penstock/domain/command.ts'
import type { Static } from 'typebox'
import type { Mint } from '../mint.ts'
import type { Problem } from '../problem.ts'

type Body = Static<typeof dropUpdateBody>

/** `PATCH /v1/drops/{id}`: fields that are absent stay as they are. */
export const dropUpdate = writeRoute({
  method: 'PATCH',
  path: '/v1/drops/:id',
  resource: 'drops',
  access: 'secret',
  summary: 'Change a drop: fields that are absent stay as they are; a SKU without id is added',
  params: { id: id('drop') },
  body: dropUpdateBody,
  answers: { 200: dropObject },
  problems: ['not_found', 'invalid_transition'],
  toCommand: ({ body, params, ownKey, mint }) => {
    const skus = readSkus(body, mint)
    if ('problem' in skus) return skus
    const fees = readFeeRules(body.fees ?? [])
    if ('problem' in fees) return fees
    const changes = { ...readChanges(body), ...(body.fees === undefined ? {} : { fees }) }
    return { kind: 'update_drop', key: ownKey(), dropId: params[0] ?? '', changes, ...skus }
  },
  toResponse: (result) => dropResponse(result, 200),
})

function readChanges(body: Body): DropChanges {
  return {
    ...(body.name === undefined ? {} : { name: body.name }),
    ...(body.description === undefined ? {} : { description: body.description }),
    ...(body.image === undefined ? {} : { image: body.image }),
    ...(body.starts_at === undefined ? {} : { startsAtMs: body.starts_at * 1_000 }),
    ...(body.ends_at === undefined ? {} : { endsAtMs: body.ends_at === null ? null : body.ends_at * 1_000 }),
    ...(body.hold_ttl === undefined ? {} : { holdTtlMs: body.hold_ttl * 1_000 }),
    ...(body.max_per_customer === undefined ? {} : { maxPerCustomer: body.max_per_customer }),
    ...(body.late_payment === undefined ? {} : { latePayment: body.late_payment }),
    ...(body.metadata === undefined ? {} : { metadata: body.metadata }),
  }
}

function readSkus(body: Body, mint: Mint): { skuChanges: SkuChange[]; newSkus: NewSku[] } | { problem: Problem } {
  const skuChanges: SkuChange[] = []
  const newSkus: NewSku[] = []
  for (const [index, sku] of (body.skus ?? []).entries()) {
    const { id: skuId, name, unit_amount: unitAmount, stock, max_per_order: maxPerOrder } = sku
    if (skuId === undefined) {
      if (name === undefined || unitAmount === undefined || stock === undefined) {
        const detail = 'A SKU without id is a new one and needs name, unit_amount and stock.'
        return { problem: problem('invalid_request', detail, `skus[${index}]`) }
      }
      newSkus.push(newSku({ name, unit_amount: unitAmount, stock, max_per_order: maxPerOrder ?? null }, mint))
    } else if (stock === undefined) {
      skuChanges.push({
        skuId,
        name: name ?? null,
        unitAmountMinor: unitAmount ?? null,
        // In the request null takes the limit away, in the command it leaves it.
        maxPerOrder: maxPerOrder === null ? 0 : (maxPerOrder ?? null),
      })
    } else {
      const detail = 'The stock of a SKU changes by POST /v1/drops/{id}/restock.'
      return { problem: problem('invalid_request', detail, `skus[${index}].stock`) }
    }
  }
  return { skuChanges, newSkus }
}
