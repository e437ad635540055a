import { bodyBytesMax } from '@penstock/domain/limits.ts'
import { eventKey, factCommand } from '@penstock/providers/fact-command.ts'
import { expected } from '../expected.ts'
import { parseUnsignedReport } from './bodies.ts'
import { sendOld, sendOldError, submitOld } from './old-answer.ts'
import type { RequestKey } from '@penstock/domain/command.ts'
import type { PaymentCapturedFact } from '@penstock/domain/provider-fact.ts'
import type { Deps } from '../api.ts'
import type { HttpExchange } from '../transport.ts'

/**
 * `POST /api/limited-drops/webhook/payos`. A body with a signature is payOS's own and taken as at `/v1/webhooks/payos`.
 * One without is the old test tools': believed only where the box was told to, which it cannot be in live mode (defect S8).
 * What was not done is answered 500, so that payOS tells it again; what nobody may say, 400.
 */
export function takePayosReport(exchange: HttpExchange, deps: Deps): void {
  const contentType = exchange.header('content-type')
  exchange.readBody(bodyBytesMax, (bytes) => {
    if (bytes === null) return sendOldError(exchange, 413, `The body may have at most ${bodyBytesMax} bytes.`)
    const report =
      deps.legacy.allowsUnsignedWebhooks && !hasSignature(bytes)
        ? readUnsigned(bytes, contentType, deps)
        : readSigned(bytes, deps)
    if ('error' in report) return sendOldError(exchange, report.status, report.error)
    if ('ignored' in report) return sendOld(exchange, 200, { message: report.ignored })
    capture(exchange, deps, report)
  })
}

interface Captured {
  readonly fact: PaymentCapturedFact
  /** Of the event; null for a report that is none. */
  readonly key: RequestKey | null
}

type Report = Captured | { readonly ignored: string } | { readonly status: number; readonly error: string }

function readSigned(bytes: Uint8Array, { providers, clock }: Pick<Deps, 'providers' | 'clock'>): Report {
  const { payos } = providers
  if (payos === undefined) return { status: 400, error: 'This server takes no webhooks of payOS.' }
  const verdict = payos.translateWebhook(Buffer.from(bytes), {}, clock())
  if (!verdict.ok) return { status: 400, error: verdict.detail }
  const { eventId, fact } = verdict
  return fact.kind === 'payment_captured' ? { fact, key: eventKey('payos', eventId) } : { ignored: 'Nothing to do' }
}

/** The old test tools name the order and say PAID, no more: what they leave out is as it should be. */
function readUnsigned(bytes: Uint8Array, contentType: string, { queries }: Pick<Deps, 'queries'>): Report {
  const parsed = parseUnsignedReport(bytes, contentType)
  if ('problem' in parsed) return { status: 400, error: parsed.problem.detail }
  const { orderCode, status, amount, reference } = parsed.body.data
  if (status !== 'PAID') return { ignored: 'Nothing to do' }
  const hold = queries.findHoldByNumber(orderCode)
  if (hold === null) return { status: 500, error: 'Order not found' }
  return {
    fact: {
      kind: 'payment_captured',
      providerPaymentId: `${orderCode}-${reference ?? 'unsigned'}`,
      holdId: hold.id,
      amountMinor: amount ?? hold.amountMinor,
      currency: hold.currency,
    },
    key: null,
  }
}

function capture(exchange: HttpExchange, deps: Deps, { fact, key }: Captured): void {
  const command = factCommand('payos', fact, key, deps.mint)
  if (command === null) throw new Error('money that arrived is nothing to the writer')
  submitOld(
    exchange,
    deps,
    command,
    () => 500,
    (result) => {
      const { payment } = expected(result, 'payment_recorded')
      sendOld(exchange, 200, { message: 'Webhook processed', status: payment.status })
    },
  )
}

/** Whether somebody tried to sign it: then it is checked, whatever the settings. */
function hasSignature(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
  return /"signature"\s*:\s*"[^"]/.test(text)
}
