import { Webhook } from 'standardwebhooks'
import { describe, expect, it } from 'vitest'
import { verifyWebhook, WebhookVerificationError } from './webhook.ts'
import type { WebhookFault, WebhookHeaders } from './webhook.ts'

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const otherSecret = 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD'
const body = '{"id":"evt_1","type":"payment.captured","timestamp":"2027-01-15T08:00:00.000Z","data":{"id":"é"}}'
const nowSeconds = 1_800_000_000

/** As the library of the standard signs. */
function signature(text: string, at = nowSeconds, key = secret, id = 'msg_1'): string {
  return new Webhook(key).sign(id, new Date(at * 1_000), text)
}

function headersOf(changes: Record<string, string> = {}): Record<string, string> {
  return {
    'webhook-id': 'msg_1',
    'webhook-timestamp': String(nowSeconds),
    'webhook-signature': signature(body),
    ...changes,
  }
}

function verify(headers: WebhookHeaders, text: string | Uint8Array = body, now = nowSeconds) {
  return verifyWebhook(text, headers, secret, { nowSeconds: now })
}

async function faultOf(work: Promise<unknown>): Promise<WebhookFault> {
  const error: unknown = await work.then(
    () => expect.fail('it should have failed'),
    (reason: unknown) => reason,
  )
  if (error instanceof WebhookVerificationError) return error.fault
  throw error
}

describe('verifyWebhook', () => {
  it('accepts what the library of the standard signs', async () => {
    const event = { id: 'evt_1', type: 'payment.captured' }
    expect(await verify(headersOf())).toMatchObject(event)
    expect(await verify(headersOf(), new TextEncoder().encode(body))).toMatchObject(event)
    expect(await verify(new Headers(headersOf()))).toMatchObject(event)
    expect(await verify({ get: (name) => headersOf()[name] ?? null })).toMatchObject(event)
    const upper = Object.entries(headersOf()).map(([name, value]) => [name.toUpperCase(), value])
    expect(await verify(Object.fromEntries(upper) as Record<string, string>)).toMatchObject(event)
    expect(await verifyWebhook(body, headersOf(), secret.slice(6), { nowSeconds })).toMatchObject(event)
  })

  it('agrees with the library on bodies and secrets of every kind', async () => {
    for (let size = 1; size <= 64; size++) {
      const key = `whsec_${Buffer.alloc(size, size).toString('base64')}`
      const text = JSON.stringify({ text: 'ü'.repeat(size * 7) })
      const at = Math.floor(Date.now() / 1_000)
      const headers = headersOf({ 'webhook-timestamp': String(at), 'webhook-signature': signature(text, at, key) })
      expect(new Webhook(key).verify(text, headers)).toEqual(await verifyWebhook(text, headers, key))
      const wrong = headersOf({ 'webhook-timestamp': String(at), 'webhook-signature': signature(`${text} `, at, key) })
      expect(() => new Webhook(key).verify(text, wrong)).toThrow('No matching signature')
      expect(await faultOf(verifyWebhook(text, wrong, key))).toBe('wrong_signature')
    }
  })

  it('accepts one of several signatures, as while a secret is rolled', async () => {
    const others = ['v1a,AAAA', signature(body, nowSeconds, otherSecret), 'v2,xyz', '']
    expect(await verify(headersOf({ 'webhook-signature': [...others, signature(body)].join(' ') }))).toBeDefined()
    expect(await faultOf(verify(headersOf({ 'webhook-signature': others.join(' ') })))).toBe('wrong_signature')
  })

  it.each([
    [0, null],
    [300, null],
    [-300, null],
    [301, 'timestamp_too_old'],
    [-301, 'timestamp_too_new'],
  ] as const)('takes a request that is %i s old: %s', async (age, fault) => {
    const outcome = verify(headersOf(), body, nowSeconds + age)
    if (fault === null) expect(await outcome).toBeDefined()
    else expect(await faultOf(outcome)).toBe(fault)
  })

  it.each<[string, Record<string, string>, WebhookFault]>([
    ['no id', { 'webhook-id': '' }, 'missing_header'],
    ['no timestamp', { 'webhook-timestamp': '' }, 'missing_header'],
    ['no signature', { 'webhook-signature': '' }, 'missing_header'],
    ['a timestamp that is a date', { 'webhook-timestamp': '2026-11-22' }, 'invalid_timestamp'],
    ['a timestamp with a tail', { 'webhook-timestamp': `${nowSeconds}x` }, 'invalid_timestamp'],
    ['another id', { 'webhook-id': 'msg_2' }, 'wrong_signature'],
    ['another timestamp', { 'webhook-timestamp': String(nowSeconds + 1) }, 'wrong_signature'],
    [
      "another secret's signature",
      { 'webhook-signature': signature(body, nowSeconds, otherSecret) },
      'wrong_signature',
    ],
    ['a signature without its version', { 'webhook-signature': signature(body).slice(3) }, 'wrong_signature'],
    ['half a signature', { 'webhook-signature': signature(body).slice(0, 20) }, 'wrong_signature'],
  ])('refuses %s', async (_, changes, fault) => {
    expect(await faultOf(verify(headersOf(changes)))).toBe(fault)
  })

  it.each(['not json', '"text"', 'null', ''])('refuses the signed body %j', async (text) => {
    expect(await faultOf(verify(headersOf({ 'webhook-signature': signature(text) }), text))).toBe('invalid_body')
  })

  it('refuses a signed body that is not UTF-8', async () => {
    const bytes = Uint8Array.from('{"a":"\xff"}', (character) => character.charCodeAt(0))
    const { createHmac } = await import('node:crypto')
    const mac = createHmac('sha256', Buffer.from(secret.slice(6), 'base64'))
      .update(`msg_1.${nowSeconds}.`)
      .update(bytes)
    expect(await faultOf(verify(headersOf({ 'webhook-signature': `v1,${mac.digest('base64')}` }), bytes))).toBe(
      'invalid_body',
    )
  })

  it.each(['', 'whsec_', 'whsec_ä', 'not base64!'])('throws TypeError for the secret %j', async (wrong) => {
    await expect(verifyWebhook(body, headersOf(), wrong)).rejects.toThrow(TypeError)
  })
})
