import { bodyBytesMax } from '@penstock/domain/limits.ts'
import { isRejected } from '@penstock/domain/result.ts'
import { eventKey, factCommand } from '@penstock/providers/fact-command.ts'
import { answerLate, sendProblem } from './api.ts'
import { problem } from './problem.ts'
import type { TObject } from 'typebox'
import type { ProviderName } from '@penstock/domain/provider-fact.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { PaymentProvider, WebhookVerdict } from '@penstock/providers/provider.ts'
import type { Deps, Router } from './api.ts'
import type { ProblemCode } from './problem.ts'
import type { HttpExchange } from './transport.ts'

/** Where a provider reports. Its signature is the key: no other is asked for. */
export interface WebhookRoute {
  readonly kind: 'webhook'
  readonly method: 'POST'
  readonly path: string
  readonly provider: ProviderName
  readonly summary: string
  readonly body: TObject
  readonly answers: { readonly 200: TObject }
  readonly problems: readonly ProblemCode[]
}

/** What any webhook may answer, in order of precedence. A provider sends again what was not answered with 2xx. */
export const webhookProblems = [
  'provider_not_configured',
  'body_too_large',
  'invalid_signature',
  'webhook_expired',
  'invalid_webhook',
  'overloaded',
  'webhook_not_taken',
  'internal_error',
] as const satisfies readonly ProblemCode[]

/** What became of an event; `webhookObject` in objects.ts. */
export type WebhookOutcome =
  | 'captured'
  | 'refund_due'
  | 'unmatched'
  | 'applied'
  | 'waiting'
  | 'closed'
  | 'conflict'
  | 'ignored'

export function serveWebhook(router: Router, route: WebhookRoute, deps: Deps): void {
  const provider = deps.providers[route.provider]
  router.route(route.method, route.path, (exchange) => {
    const headers: Record<string, string> = {}
    for (const name of provider?.webhookHeaders ?? []) headers[name] = exchange.header(name)
    exchange.readBody(bodyBytesMax, (bytes) => {
      if (provider === undefined) {
        const detail = `${route.provider} is not configured here: docs/providers.md says how.`
        return sendProblem(exchange, deps, problem('provider_not_configured', detail))
      }
      if (bytes === null) {
        return sendProblem(
          exchange,
          deps,
          problem('body_too_large', `The body may have at most ${bodyBytesMax} bytes.`),
        )
      }
      // A view: it is read, and nothing of it kept, before this returns.
      const rawBody = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      const verdict = provider.translateWebhook(rawBody, headers, deps.clock())
      if (!verdict.ok) return refuse(exchange, verdict, deps)
      takeEvent(exchange, provider, verdict, deps)
    })
  })
}

const refusals = {
  bad_signature: 'invalid_signature',
  stale: 'webhook_expired',
  future: 'webhook_expired',
  malformed: 'invalid_webhook',
} as const satisfies Record<string, ProblemCode>

function refuse(exchange: HttpExchange, { reason, detail }: Extract<WebhookVerdict, { ok: false }>, deps: Deps): void {
  // Signed and not understood: the provider has changed, and its events do not reach the books.
  if (reason === 'malformed') deps.log(`a signed webhook is malformed: ${detail}`)
  sendProblem(exchange, deps, problem(refusals[reason], detail))
}

/** 2xx only after the commit, or when there is nothing to commit. */
function takeEvent(
  exchange: HttpExchange,
  { name }: PaymentProvider,
  { eventId, fact }: Extract<WebhookVerdict, { ok: true }>,
  deps: Deps,
): void {
  const command = factCommand(name, fact, eventKey(name, eventId), deps.mint)
  if (command === null) return exchange.send(200, jsonType, answers.ignored)
  const taken = deps.writer.submit(command, (reply) => {
    if (reply === null) return sendProblem(exchange, deps, notTaken)
    answerLate(exchange, deps, () => {
      const outcome = outcomeOf(reply.result)
      if (outcome === null) return sendProblem(exchange, deps, notTaken)
      if (outcome === 'conflict') deps.log(`event ${eventId} of ${name} contradicts what was recorded: ${fact.kind}`)
      const headers = [...jsonType, 'Penstock-Seq', String(reply.seq)]
      if ('replayed' in reply.result && reply.result.replayed) headers.push('Idempotent-Replayed', 'true')
      exchange.send(200, headers, answers[outcome])
    })
  })
  if (!taken) sendProblem(exchange, deps, problem('overloaded', 'Too many requests wait for the writer.'))
}

const notTaken = problem('webhook_not_taken', 'The event could not be recorded in time; send it again.')

/** Null: it was not taken, and may be later. A contradiction will not go away by being sent again. */
function outcomeOf(result: Result): WebhookOutcome | null {
  if (isRejected(result)) return result.outcome === 'payment_conflict' ? 'conflict' : null
  switch (result.outcome) {
    case 'payment_recorded':
      return result.payment.status
    case 'fact_taken':
      return result.effect
    case 'checkout_closed':
      return result.isClosed ? 'closed' : 'ignored'
    default:
      throw new Error(`the writer answered a webhook with ${result.outcome}`)
  }
}

const jsonType = ['Content-Type', 'application/json']

const answer = (outcome: WebhookOutcome): string => JSON.stringify({ object: 'webhook', outcome })

/** One a payment: made once. */
const answers: Readonly<Record<WebhookOutcome, string>> = {
  captured: answer('captured'),
  refund_due: answer('refund_due'),
  unmatched: answer('unmatched'),
  applied: answer('applied'),
  waiting: answer('waiting'),
  closed: answer('closed'),
  conflict: answer('conflict'),
  ignored: answer('ignored'),
}
