import Type from 'typebox'
import { Compile } from 'typebox/compile'
import { isCurrency } from '@penstock/domain/money.ts'
import { webhookFaults } from '@penstock/domain/webhook.ts'
import { FrameError } from './frame.ts'
import type { Command, CommandKind } from '@penstock/domain/command.ts'

/**
 * The shape of each command on the wire. HTTP has validated what clients sent; this is the writer's guard against
 * a peer that is broken or of another build, so it checks types and integers and leaves meaning to `decide`.
 * The order of the fields is the order of the msgpackr structures (codec.ts): a change raises `protocolVersion`.
 */

const text = Type.String()
const whole = Type.Integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER })
const units = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })
const amount = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
const nullable = <Schema extends Type.TSchema>(schema: Schema) => Type.Union([schema, Type.Null()])
const key = Type.Object({ id: text, fingerprint: text })
const anyKey = nullable(key)
const texts = Type.Record(Type.String(), Type.String())
const newSku = Type.Object({
  id: text,
  name: text,
  unitAmountMinor: amount,
  stock: amount,
  maxPerOrder: nullable(units),
})
const skuChange = Type.Object({
  skuId: text,
  name: nullable(text),
  unitAmountMinor: nullable(amount),
  maxPerOrder: nullable(amount),
})
const feeKind = Type.Union([Type.Literal('shipping'), Type.Literal('tax'), Type.Literal('service')])
const feeRules = Type.Array(
  Type.Object({ name: text, kind: feeKind, amountMinor: nullable(amount), basisPoints: nullable(amount) }),
)
const latePayment = Type.Union([Type.Literal('reacquire'), Type.Literal('refund')])
const address = Type.Object({
  line1: text,
  line2: nullable(text),
  city: text,
  state: nullable(text),
  postalCode: nullable(text),
  country: text,
})
const customer = Type.Object({
  email: text,
  phone: nullable(text),
  externalId: nullable(text),
  name: nullable(text),
  shippingAddress: nullable(address),
})

const providerName = Type.Union([Type.Literal('stripe'), Type.Literal('payos'), Type.Literal('test')])
const refundFact = Type.Object({
  kind: Type.Literal('refund_updated'),
  providerPaymentId: text,
  providerRefundId: text,
  refundId: nullable(text),
  amountMinor: units,
  currency: text,
  status: Type.Union([Type.Literal('pending'), Type.Literal('succeeded'), Type.Literal('failed')]),
  createdMs: amount,
})
const disputeFact = Type.Object({
  kind: Type.Union([Type.Literal('dispute_opened'), Type.Literal('dispute_closed')]),
  providerPaymentId: text,
  providerDisputeId: text,
  amountMinor: units,
  currency: text,
  reason: nullable(text),
  status: Type.Union([Type.Literal('open'), Type.Literal('won'), Type.Literal('lost')]),
  createdMs: amount,
})

const replace = Type.Object({ holdId: text, proof: nullable(text) })

/** Commands of which many come at once: objects of these shapes travel without the names of their fields. */
const frequentSchemas = {
  create_drop: Type.Object({
    kind: Type.Literal('create_drop'),
    key: anyKey,
    dropId: text,
    name: text,
    description: nullable(text),
    image: nullable(text),
    currency: text,
    startsAtMs: nullable(amount),
    endsAtMs: nullable(amount),
    holdTtlMs: units,
    maxPerCustomer: nullable(units),
    latePayment,
    fees: feeRules,
    metadata: texts,
    skus: Type.Array(newSku, { minItems: 1 }),
  }),
  update_drop: Type.Object({
    kind: Type.Literal('update_drop'),
    key: anyKey,
    dropId: text,
    changes: Type.Object(
      {
        name: Type.Optional(text),
        description: Type.Optional(nullable(text)),
        image: Type.Optional(nullable(text)),
        startsAtMs: Type.Optional(amount),
        endsAtMs: Type.Optional(nullable(amount)),
        holdTtlMs: Type.Optional(units),
        maxPerCustomer: Type.Optional(nullable(units)),
        latePayment: Type.Optional(latePayment),
        fees: Type.Optional(feeRules),
        metadata: Type.Optional(texts),
      },
      { additionalProperties: false },
    ),
    skuChanges: Type.Array(skuChange),
    newSkus: Type.Array(newSku),
  }),
  change_drop_phase: Type.Object({
    kind: Type.Literal('change_drop_phase'),
    key: anyKey,
    dropId: text,
    action: Type.Union([
      Type.Literal('publish'),
      Type.Literal('pause'),
      Type.Literal('resume'),
      Type.Literal('end'),
      Type.Literal('cancel'),
    ]),
  }),
  restock_sku: Type.Object({
    kind: Type.Literal('restock_sku'),
    key,
    dropId: text,
    skuId: text,
    quantity: whole,
  }),
  create_hold: Type.Object({
    kind: Type.Literal('create_hold'),
    key: anyKey,
    holdId: text,
    clientSecret: text,
    dropId: text,
    lines: Type.Array(Type.Object({ skuId: text, quantity: units }), { minItems: 1 }),
    customer,
    replace: nullable(replace),
  }),
  release_hold: Type.Object({
    kind: Type.Literal('release_hold'),
    key: anyKey,
    holdId: text,
    proof: nullable(text),
  }),
  expire_holds: Type.Object({ kind: Type.Literal('expire_holds'), key: Type.Null() }),
  capture_payment: Type.Object({
    kind: Type.Literal('capture_payment'),
    key: anyKey,
    paymentId: text,
    holdId: text,
    provider: text,
    providerPaymentId: text,
    amountMinor: amount,
    currency: text,
  }),
}

/** Too rare to spend a structure on, of which there are 32 (codec.ts): these travel with the names of their fields. */
export const rareSchemas = {
  attach_payment: Type.Object({
    kind: Type.Literal('attach_payment'),
    key: anyKey,
    paymentId: text,
    holdId: text,
  }),
  create_refund: Type.Object({
    kind: Type.Literal('create_refund'),
    key: anyKey,
    refundId: text,
    paymentId: text,
    amountMinor: nullable(amount),
    lines: nullable(Type.Array(Type.Object({ skuId: text, quantity: units }), { minItems: 1 })),
    restock: Type.Boolean(),
    reason: nullable(text),
  }),
  settle_refund: Type.Object({
    kind: Type.Literal('settle_refund'),
    key: anyKey,
    refundId: text,
    status: Type.Union([Type.Literal('succeeded'), Type.Literal('failed')]),
  }),
  open_dispute: Type.Object({
    kind: Type.Literal('open_dispute'),
    key: anyKey,
    disputeId: text,
    paymentId: text,
    providerDisputeId: text,
    amountMinor: nullable(units),
    reason: nullable(text),
  }),
  close_dispute: Type.Object({
    kind: Type.Literal('close_dispute'),
    key: anyKey,
    disputeId: text,
    status: Type.Union([Type.Literal('won'), Type.Literal('lost')]),
  }),
  take_fact: Type.Object({
    kind: Type.Literal('take_fact'),
    key: anyKey,
    provider: providerName,
    fact: Type.Union([refundFact, disputeFact]),
    objectId: text,
  }),
  open_checkout: Type.Object({
    kind: Type.Literal('open_checkout'),
    key: anyKey,
    holdId: text,
    provider: providerName,
    providerPaymentId: text,
    amountMinor: amount,
    currency: text,
    url: nullable(text),
    clientSecret: nullable(text),
    expiresMs: amount,
  }),
  close_checkout: Type.Object({
    kind: Type.Literal('close_checkout'),
    key: anyKey,
    holdId: text,
    provider: providerName,
    providerPaymentId: text,
  }),
  cancel_order: Type.Object({
    kind: Type.Literal('cancel_order'),
    key: anyKey,
    orderId: text,
    refundId: text,
    restock: Type.Boolean(),
    reason: nullable(text),
  }),
  fulfil_order: Type.Object({ kind: Type.Literal('fulfil_order'), key: anyKey, orderId: text }),
  erase_customer: Type.Object({ kind: Type.Literal('erase_customer'), key: anyKey, holdId: text }),
  use_code: Type.Object({ kind: Type.Literal('use_code'), key, orderId: text, holdId: text, unit: amount }),
  create_key: Type.Object({
    kind: Type.Literal('create_key'),
    key: anyKey,
    apiKeyId: text,
    keyKind: Type.Union([Type.Literal('secret'), Type.Literal('publishable')]),
    name: nullable(text),
    scopes: Type.Array(text),
    secretHash: text,
    hint: text,
    expiresAtMs: nullable(amount),
  }),
  roll_key: Type.Object({
    kind: Type.Literal('roll_key'),
    key: anyKey,
    apiKeyId: text,
    newApiKeyId: text,
    secretHash: text,
    hint: text,
    overlapMs: amount,
  }),
  revoke_key: Type.Object({ kind: Type.Literal('revoke_key'), key: anyKey, apiKeyId: text }),
  touch_keys: Type.Object({
    kind: Type.Literal('touch_keys'),
    key: Type.Null(),
    uses: Type.Array(Type.Object({ apiKeyId: text, usedMs: amount })),
  }),
  create_webhook_endpoint: Type.Object({
    kind: Type.Literal('create_webhook_endpoint'),
    key: anyKey,
    endpointId: text,
    url: text,
    events: Type.Array(text, { minItems: 1 }),
    description: nullable(text),
    secretId: text,
    secret: text,
  }),
  update_webhook_endpoint: Type.Object({
    kind: Type.Literal('update_webhook_endpoint'),
    key: anyKey,
    endpointId: text,
    changes: Type.Object(
      {
        url: Type.Optional(text),
        events: Type.Optional(Type.Array(text, { minItems: 1 })),
        description: Type.Optional(nullable(text)),
        status: Type.Optional(Type.Union([Type.Literal('enabled'), Type.Literal('disabled')])),
      },
      { additionalProperties: false },
    ),
  }),
  delete_webhook_endpoint: Type.Object({
    kind: Type.Literal('delete_webhook_endpoint'),
    key: anyKey,
    endpointId: text,
  }),
  rotate_webhook_secret: Type.Object({
    kind: Type.Literal('rotate_webhook_secret'),
    key: anyKey,
    endpointId: text,
    secretId: text,
    secret: text,
    overlapMs: amount,
  }),
  retry_webhook_delivery: Type.Object({
    kind: Type.Literal('retry_webhook_delivery'),
    key: anyKey,
    endpointId: text,
    eventSeq: units,
  }),
  replay_webhook_events: Type.Object({
    kind: Type.Literal('replay_webhook_events'),
    key: anyKey,
    endpointId: text,
    fromSeq: units,
    toSeq: amount,
  }),
  record_webhook_outcomes: Type.Object({
    kind: Type.Literal('record_webhook_outcomes'),
    key: Type.Null(),
    endpointId: text,
    cursorSeq: amount,
    replay: nullable(Type.Object({ nextSeq: units, toSeq: units })),
    failingSinceMs: nullable(amount),
    disable: nullable(Type.Union([Type.Literal('gone'), Type.Literal('failing')])),
    outcomes: Type.Array(
      Type.Object({
        eventSeq: units,
        status: Type.Union([Type.Literal('pending'), Type.Literal('succeeded'), Type.Literal('failed')]),
        failures: amount,
        nextAttemptMs: nullable(amount),
        attempt: nullable(
          Type.Object({
            startedMs: amount,
            durationMs: amount,
            status: nullable(amount),
            fault: nullable(Type.Union(webhookFaults.map((fault) => Type.Literal(fault)))),
          }),
        ),
      }),
    ),
  }),
}

const schemas = { ...frequentSchemas, ...rareSchemas } satisfies Record<CommandKind, Type.TObject>

/** Field names of every object a frequent command is made of, in wire order. */
export const commandStructures: readonly (readonly string[])[] = [
  ...Object.values(frequentSchemas),
  key,
  newSku,
  skuChange,
  address,
  customer,
  replace,
  schemas.create_hold.properties.lines.items,
].map((schema) => Object.keys(schema.properties))

const checks = new Map(Object.entries(schemas).map(([kind, schema]) => [kind, Compile(schema)]))

/** The value as a command. Throws FrameError naming what is wrong: the peer is broken, not the request. */
export function checkCommand(value: unknown): Command {
  const kind = typeof value === 'object' && value !== null && 'kind' in value ? value.kind : undefined
  const check = typeof kind === 'string' ? checks.get(kind) : undefined
  if (check === undefined) {
    throw new FrameError(
      `unknown command kind ${typeof kind === 'string' ? kind.slice(0, 40) : `of type ${typeof kind}`}`,
    )
  }
  if (!check.Check(value)) {
    const [error] = check.Errors(value)
    throw new FrameError(`${String(kind)}${error?.instancePath ?? ''}: ${error?.message ?? 'wrong shape'}`)
  }
  const command = value as Command
  const facts = command.kind === 'take_fact' ? command.fact : command
  if ('currency' in facts && !isCurrency(facts.currency)) {
    throw new FrameError(`${command.kind}/currency: unknown currency ${String(facts.currency)}`)
  }
  return command
}
