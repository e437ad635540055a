import { PenstockError } from './errors.ts'
import { webCrypto } from './web-crypto.ts'

/** What a webhook tells. */
export interface WebhookEvent {
  /** Of the event, as in `GET /v1/events`. */
  readonly id: string
  /** Such as `payment.captured`. New ones may come. */
  readonly type: string
  /** When it happened, ISO 8601. */
  readonly timestamp: string
  /** The object as the API showed it when this request was sent: `data.object` says which. One that is gone has its id only. */
  readonly data: { readonly id: string; readonly object?: string; readonly [field: string]: unknown }
}

export type WebhookFault =
  | 'missing_header'
  | 'invalid_timestamp'
  | 'timestamp_too_old'
  | 'timestamp_too_new'
  | 'wrong_signature'
  | 'invalid_body'

/** This request is not, or no longer, one that your Penstock server sent. Answer it with 400. */
export class WebhookVerificationError extends PenstockError {
  override readonly name = 'WebhookVerificationError'
  readonly fault: WebhookFault

  constructor(fault: WebhookFault, message: string) {
    super(message, { idempotencyKey: null, outcomeUnknown: false })
    this.fault = fault
  }
}

export interface WebhookOptions {
  /** How far the sender's clock and yours may be apart, and how late a request may be. 300 when absent. */
  readonly toleranceSeconds?: number | undefined
  /** Your clock, Unix seconds; the system's when absent. */
  readonly nowSeconds?: number | undefined
}

/** Headers as fetch has them (of whichever library), or as node:http does. */
export type WebhookHeaders = Pick<Headers, 'get'> | Readonly<Record<string, string | readonly string[] | undefined>>

/**
 * Checks a request by Standard Webhooks 1.0 and gives back its event. `body` is what came, byte for byte: parsed and
 * stringified again it is another text. `secret` is `whsec_...`. Throws WebhookVerificationError, and TypeError for a
 * secret that is none. A valid request may come twice: remember its header `webhook-id`.
 */
export async function verifyWebhook(
  body: string | Uint8Array,
  headers: WebhookHeaders,
  secret: string,
  { toleranceSeconds = 300, nowSeconds = Math.floor(Date.now() / 1_000) }: WebhookOptions = {},
): Promise<WebhookEvent> {
  const key = decodeSecret(secret)
  const id = readHeader(headers, 'webhook-id')
  const timestamp = readHeader(headers, 'webhook-timestamp')
  const signatures = readHeader(headers, 'webhook-signature')
  checkTime(timestamp, nowSeconds, toleranceSeconds)
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body
  const expected = await sign(key, new TextEncoder().encode(`${id}.${timestamp}.`), bytes)
  // All are compared, each in the same time, so that the time taken tells nothing.
  const matches = signatures.split(' ').filter((signature) => isEqual(signature, expected))
  if (matches.length === 0) throw new WebhookVerificationError('wrong_signature', 'No signature fits this secret.')
  return parseEvent(bytes)
}

function readHeader(headers: WebhookHeaders, name: string): string {
  const value = isFetchHeaders(headers) ? headers.get(name) : findHeader(headers, name)
  if (typeof value === 'string' && value !== '') return value
  throw new WebhookVerificationError('missing_header', `The header ${name} is missing.`)
}

function isFetchHeaders(headers: WebhookHeaders): headers is Pick<Headers, 'get'> {
  return typeof headers.get === 'function'
}

function findHeader(headers: Exclude<WebhookHeaders, Pick<Headers, 'get'>>, name: string): unknown {
  return Object.entries(headers).find(([other]) => other.toLowerCase() === name)?.[1]
}

function checkTime(timestamp: string, nowSeconds: number, toleranceSeconds: number): void {
  if (!/^\d{1,15}$/.test(timestamp)) {
    throw new WebhookVerificationError('invalid_timestamp', 'webhook-timestamp is not in Unix seconds.')
  }
  const ageSeconds = nowSeconds - Number(timestamp)
  if (ageSeconds > toleranceSeconds) {
    throw new WebhookVerificationError('timestamp_too_old', `The request is ${ageSeconds} s old.`)
  }
  if (ageSeconds < -toleranceSeconds) {
    throw new WebhookVerificationError('timestamp_too_new', `The request is from ${-ageSeconds} s ahead.`)
  }
}

function decodeSecret(secret: string): Uint8Array<ArrayBuffer> {
  if (typeof secret !== 'string' || secret === '') throw new TypeError('the webhook secret is missing')
  const encoded = secret.replace(/^whsec_/, '')
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) throw new TypeError('a webhook secret is whsec_ and base64')
  return Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0))
}

/** `v1,` and the HMAC-SHA256 of both parts together, in base64. */
async function sign(key: Uint8Array<ArrayBuffer>, head: Uint8Array, body: Uint8Array): Promise<string> {
  const { subtle } = await webCrypto()
  const hmac = await subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  const signed = new Uint8Array(head.length + body.length)
  signed.set(head)
  signed.set(body, head.length)
  const mac = new Uint8Array(await subtle.sign('HMAC', hmac, signed))
  return `v1,${btoa(String.fromCharCode(...mac))}`
}

/** Takes as long whichever characters differ. The length of a signature is no secret. */
function isEqual(a: string, b: string): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let index = 0; index < a.length; index++) difference |= a.charCodeAt(index) ^ b.charCodeAt(index)
  return difference === 0
}

function parseEvent(bytes: Uint8Array): WebhookEvent {
  try {
    const event: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    if (typeof event === 'object' && event !== null) return event as WebhookEvent
  } catch {
    // Told below.
  }
  throw new WebhookVerificationError('invalid_body', 'The body is not a JSON object.')
}
