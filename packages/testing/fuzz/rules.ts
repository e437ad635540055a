import type { FuzzRequest } from './requests.ts'

/** Why a request that fits its schema may still be answered 400: what JSON Schema cannot say. */
export interface Rule {
  readonly operationId: string
  /** The field the refusal names. */
  readonly param: RegExp
  /** Whether the request breaks the rule, as far as it can be seen without the state of the server. Absent: it always may. */
  readonly mayBreak?: (request: FuzzRequest) => boolean
}

/** What the rules look at, of any body. */
interface RuledBody {
  readonly starts_at?: number | null
  readonly ends_at?: number | null
  readonly skus?: readonly { readonly id?: string; readonly stock?: number }[]
  readonly fees?: readonly { readonly amount?: number; readonly basis_points?: number }[]
  readonly replace?: { readonly client_secret?: string } | null
  readonly lines?: readonly object[]
  readonly restock?: boolean
  readonly kind?: string
  readonly expires_at?: number | null
  readonly scopes?: readonly string[]
}

function bodyOf({ body }: FuzzRequest): RuledBody {
  return JSON.parse(String(body)) as RuledBody
}

/** A drop ends after it starts. One that does not say when it starts has started. */
function mayEndTooEarly(request: FuzzRequest): boolean {
  const { starts_at: startsAt, ends_at: endsAt } = bodyOf(request)
  const isUnknown = startsAt === undefined || startsAt === null || endsAt === undefined || endsAt === null
  return isUnknown ? (startsAt ?? endsAt ?? null) !== null : endsAt <= startsAt
}

/** A fee is an amount or a share. */
const feeOfTwoKinds = (operationId: string): Rule => ({
  operationId,
  param: /^fees\[\d+\]$/,
  mayBreak: (request) =>
    (bodyOf(request).fees ?? []).some((fee) => (fee.amount === undefined) === (fee.basis_points === undefined)),
})

const bothCursors = (operationId: string): Rule => ({
  operationId,
  param: /^ending_before$/,
  mayBreak: ({ query }) => 'starting_after' in query && 'ending_before' in query,
})

/** A range of time does not end before it begins. */
const createdBackwards = (operationId: string): Rule => ({
  operationId,
  param: /^created_to$/,
  mayBreak: ({ query }) => Number(query['created_to']) < Number(query['created_from']),
})

const collectionNouns = [
  'Holds',
  'Payments',
  'Orders',
  'Refunds',
  'Disputes',
  'LedgerEntries',
  'Events',
  'WebhookDeliveries',
]
const lists = ['Drops', ...collectionNouns].map((noun) => `list${noun}`)
const exported = collectionNouns.map((noun) => `export${noun}`)

/** What only a provider can make. */
export const signedOperations = ['takeStripeWebhook', 'takePayosWebhook', 'takeTestWebhook']

export const rules: readonly Rule[] = [
  { operationId: 'createDrop', param: /^ends_at$/, mayBreak: mayEndTooEarly },
  { operationId: 'updateDrop', param: /^ends_at$/, mayBreak: mayEndTooEarly },
  feeOfTwoKinds('createDrop'),
  feeOfTwoKinds('updateDrop'),
  {
    // A change names a SKU and no stock; a new one has name, price and stock.
    operationId: 'updateDrop',
    param: /^skus\[\d+\](\.stock)?$/,
    mayBreak: (request) => (bodyOf(request).skus ?? []).some((sku) => sku.id === undefined || sku.stock !== undefined),
  },
  {
    // The number of SKUs of one drop, with those it has.
    operationId: 'updateDrop',
    param: /^skus$/,
    mayBreak: (request) => bodyOf(request).skus !== undefined,
  },
  // The stock after the change: not above its bound, not below what is held and sold.
  { operationId: 'restockDrop', param: /^quantity$/ },
  // The amount of all lines at the prices of the drop, with its fees.
  { operationId: 'createHold', param: /^lines$/ },
  {
    operationId: 'createHold',
    param: /^replace\.client_secret$/,
    mayBreak: (request) => {
      const { replace } = bodyOf(request)
      return request.caller === 'publishable' && replace?.client_secret === undefined
    },
  },
  {
    // Money that came without goods has no lines.
    operationId: 'createRefund',
    param: /^lines$/,
    mayBreak: (request) => bodyOf(request).lines !== undefined,
  },
  {
    // Units go back on sale when the refund names them, or takes all that is left and there are some.
    operationId: 'createRefund',
    param: /^restock$/,
    mayBreak: (request) => bodyOf(request).restock === true && bodyOf(request).lines === undefined,
  },
  ...[...lists, 'listApiKeys'].map(bothCursors),
  ...[...lists, ...exported].map(createdBackwards),
  // What can be a URL.
  { operationId: 'checkoutHold', param: /^return_url$/ },
  // A URL that can be one, without a password, on a port of the web.
  { operationId: 'createWebhookEndpoint', param: /^url$/ },
  { operationId: 'updateWebhookEndpoint', param: /^url$/ },
  // A range with events in it.
  { operationId: 'replayWebhookEndpoint', param: /^(from|to)$/ },
  {
    // A publishable key has no scopes.
    operationId: 'createApiKey',
    param: /^scopes$/,
    mayBreak: (request) => bodyOf(request).kind === 'publishable' && bodyOf(request).scopes !== undefined,
  },
  {
    // It expires after now.
    operationId: 'createApiKey',
    param: /^expires_at$/,
    mayBreak: (request) => (bodyOf(request).expires_at ?? Infinity) <= Date.now() / 1_000 + 1,
  },
  // No generated request is signed; e2e/webhooks.test.ts has those that are.
  ...signedOperations.map((operationId) => ({ operationId, param: /^$/ })),
]

/** Whether the request keeps every rule, as far as that can be seen. */
export function keepsRules(operationId: string, request: FuzzRequest): boolean {
  return rules.every((rule) => rule.operationId !== operationId || rule.mayBreak?.(request) !== true)
}
