import { createHmac, timingSafeEqual } from 'node:crypto'
import { webhookSecretsMax, webhookSignaturesMax, webhookToleranceMs } from '@penstock/domain/limits.ts'
import type { WebhookVerdict } from './provider.ts'

/**
 * Stripe's webhook signatures (docs.stripe.com/webhooks#verify-manually), which the test provider uses too: the header
 * is `t=<unix seconds>,v1=<hex>[,v1=<hex>...]`, and v1 is the HMAC-SHA256 of `<t>.<body>` with the secret as it stands.
 */

type Refused = Extract<WebhookVerdict, { ok: false }>

/** Null: one of `secrets` made one of the signatures, and the time is within `webhookToleranceMs`, either way. */
export function refuseSignature(
  rawBody: Buffer,
  header: string,
  secrets: readonly string[],
  nowMs: number,
): Refused | null {
  const parsed = parseHeader(header)
  if (parsed === null) return refused('bad_signature', 'The signature header must be t=<unix seconds>,v1=<hex>.')
  if (!isSigned(rawBody, parsed, secrets)) {
    return refused('bad_signature', 'No signature in the header was made with a secret of this endpoint.')
  }
  const aheadMs = Number(parsed.time) * 1_000 - nowMs
  const seconds = webhookToleranceMs / 1_000
  if (aheadMs < -webhookToleranceMs) return refused('stale', `The webhook was signed more than ${seconds} s ago.`)
  if (aheadMs > webhookToleranceMs) {
    return refused('future', `The webhook was signed for a time more than ${seconds} s ahead.`)
  }
  return null
}

/** A header that `refuseSignature` accepts. */
export function signBody(rawBody: string | Buffer, secret: string, timeMs: number): string {
  const time = String(Math.floor(timeMs / 1_000))
  return `t=${time},v1=${hmac(secret, time, rawBody).toString('hex')}`
}

interface ParsedHeader {
  /** As sent: it is part of what was signed. */
  readonly time: string
  readonly signatures: readonly Buffer[]
}

const wholeSeconds = /^\d{1,12}$/
const sha256Hex = /^[0-9a-f]{64}$/

/** Other schemes than v1 are passed over; what is no HMAC of this kind is none of ours. */
function parseHeader(header: string): ParsedHeader | null {
  let time = ''
  const signatures: Buffer[] = []
  for (const part of header.split(',')) {
    const at = part.indexOf('=')
    const [name, value] = [part.slice(0, at).trim(), part.slice(at + 1).trim()]
    if (name === 't' && time === '') time = value
    if (name !== 'v1' || signatures.length >= webhookSignaturesMax || !sha256Hex.test(value)) continue
    signatures.push(Buffer.from(value, 'hex'))
  }
  return wholeSeconds.test(time) && signatures.length > 0 ? { time, signatures } : null
}

/** In constant time for each pair; there is nothing to learn from how many there are. */
function isSigned(rawBody: Buffer, { time, signatures }: ParsedHeader, secrets: readonly string[]): boolean {
  return secrets.slice(0, webhookSecretsMax).some((secret) => {
    const expected = hmac(secret, time, rawBody)
    return signatures.some((signature) => timingSafeEqual(signature, expected))
  })
}

function hmac(secret: string, time: string, body: string | Buffer): Buffer {
  return createHmac('sha256', secret).update(`${time}.`).update(body).digest()
}

function refused(reason: Refused['reason'], detail: string): Refused {
  return { ok: false, reason, detail }
}
