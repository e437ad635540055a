import { allows } from '@penstock/domain/api-key.ts'
import { problem, problemHeaders, problemKinds, renderProblem } from './problem.ts'
import type { Scope } from '@penstock/domain/api-key.ts'
import type { WebhookUrlRules } from '@penstock/domain/webhook-url.ts'
import type { Credential, Queries } from '@penstock/store/queries.ts'
import type { Providers } from '@penstock/providers/open-providers.ts'
import type { Catalogue } from './catalogue.ts'
import type { Credentials } from './credentials.ts'
import type { LegacyDrops } from './legacy/legacy-drops.ts'
import type { LiveDrops } from './live/live-drops.ts'
import type { Mint } from './mint.ts'
import type { Problem } from './problem.ts'
import type { ProviderCalls } from './provider-calls.ts'
import type { SlowReads } from './slow-reads.ts'
import type { HttpExchange, HttpTransport } from './transport.ts'
import type { WriterClient } from '@penstock/protocol/writer-client.ts'

/** What routes work with. Made by main.ts, the same for every request. */
export interface Deps {
  readonly queries: Queries
  readonly catalogue: Catalogue
  readonly writer: Pick<WriterClient, 'submit' | 'isConnected'>
  readonly credentials: Credentials
  readonly mint: Mint
  readonly slowReads: SlowReads
  readonly live: LiveDrops
  readonly legacy: Legacy
  readonly providers: Providers
  readonly providerCalls: ProviderCalls
  readonly webhookUrlRules: WebhookUrlRules
  /** Unix milliseconds. */
  readonly clock: () => number
  readonly log: (message: string, error?: unknown) => void
}

/** What the old system's API works with besides. */
export interface Legacy {
  /** False: it has no routes. */
  readonly isServed: boolean
  readonly drops: LegacyDrops
  readonly allowsUnsignedWebhooks: boolean
}

/** Where routes are registered. */
export type Router = Pick<HttpTransport, 'route'>

/** `secret`: the seller's key. `publishable`: either key. A secret key needs the route's scope, too. */
export type Access = Credential['kind']

/** Who calls, or why they may not. */
export function authorise(
  authorization: string,
  access: Access,
  scope: Scope,
  deps: Pick<Deps, 'credentials'>,
): { readonly credential: Credential } | { readonly problem: Problem } {
  const credential = deps.credentials.find(authorization)
  if (credential === null) return { problem: noKey }
  if (credential.kind === 'publishable') {
    if (access === 'publishable') return { credential }
    return { problem: problem('forbidden', 'This needs a secret key; a publishable key was sent.') }
  }
  if (allows(credential.scopes, scope)) return { credential }
  return { problem: problem('forbidden', `This needs the scope ${scope}, which the key does not have.`) }
}

const noKey = problem(
  'unauthorized',
  'Send a key that is valid here as Authorization: Bearer sk_test_... or pk_test_...',
)

export function sendProblem(
  exchange: HttpExchange,
  deps: Pick<Deps, 'mint'>,
  cause: Problem,
  headers: readonly string[] = [],
): void {
  const requestId = deps.mint.requestId()
  const { status } = problemKinds[cause.code]
  exchange.send(status, [...problemHeaders(cause, requestId), ...headers], renderProblem(cause, requestId))
}

/**
 * Answers later than the handler, from a callback of somebody else's event: what goes wrong here must end this
 * request, not the process. (While the handler runs, the transport does the same.)
 */
export function answerLate(exchange: HttpExchange, deps: Deps, answer: () => void): void {
  try {
    answer()
  } catch (error) {
    deps.log('a request failed', error)
    const detail =
      'The answer could not be made. A write may have taken effect: ask again with the same Idempotency-Key.'
    sendProblem(exchange, deps, problem('internal_error', detail))
  }
}

/** How many `:name` the path of a route has. */
export function countParams(path: string): number {
  return path.split('/:').length - 1
}

/** The first `count` parameters of the path. */
export function readParams(exchange: HttpExchange, count: number): string[] {
  const params: string[] = []
  for (let index = 0; index < count; index++) params.push(exchange.param(index))
  return params
}
