import Stripe from 'stripe'
import { expect, it } from 'vitest'
import { refuseSignature, signBody } from './webhook-signature.ts'

const nowMs = 1_800_000_000_000
const seconds = nowMs / 1_000
const secret = 'whsec_0123456789abcdef'
const other = 'whsec_fedcba9876543210'
const body = Buffer.from('{"id":"evt_1","name":"Größe 東京 \\u00e9"}')
const { webhooks } = new Stripe('sk_test_0123456789abcdef')

/** As Stripe makes it. */
function stripeHeader(by = secret, timestamp = seconds): string {
  return webhooks.generateTestHeaderString({ payload: body.toString(), secret: by, timestamp })
}

const v1 = (header: string): string => header.split(',')[1] ?? ''

it('signBody and Stripe make the same header', () => {
  expect(signBody(body, secret, nowMs)).toBe(stripeHeader())
})

it.each<[string, string, readonly string[], string | null]>([
  ['one signature', stripeHeader(), [secret], null],
  ['the second of two secrets, while one is rolled', stripeHeader(other), [secret, other], null],
  ['the second of two signatures', `t=${seconds},${v1(stripeHeader(other))},${v1(stripeHeader())}`, [secret], null],
  ['another scheme beside v1', `${stripeHeader()},v0=${'0'.repeat(64)}`, [secret], null],
  ['spaces', stripeHeader().replace(',', ', '), [secret], null],
  ['300 s ago', stripeHeader(secret, seconds - 300), [secret], null],
  ['300 s ahead', stripeHeader(secret, seconds + 300), [secret], null],
  ['301 s ago', stripeHeader(secret, seconds - 301), [secret], 'stale'],
  ['301 s ahead', stripeHeader(secret, seconds + 301), [secret], 'future'],
  ['a secret that is not ours', stripeHeader(other), [secret], 'bad_signature'],
  ['no secret', stripeHeader(), [], 'bad_signature'],
  ['no header', '', [secret], 'bad_signature'],
  ['no time', v1(stripeHeader()), [secret], 'bad_signature'],
  ['no signature', `t=${seconds}`, [secret], 'bad_signature'],
  ['the scheme v0 only', stripeHeader().replace('v1=', 'v0='), [secret], 'bad_signature'],
  [
    'another time than was signed',
    stripeHeader().replace(`t=${seconds}`, `t=${seconds + 1}`),
    [secret],
    'bad_signature',
  ],
  ['a time that is no number', stripeHeader().replace(`t=${seconds}`, 't=soon'), [secret], 'bad_signature'],
  ['half a signature', stripeHeader().slice(0, -32), [secret], 'bad_signature'],
  ['a signature that is no hex', `t=${seconds},v1=${'z'.repeat(64)}`, [secret], 'bad_signature'],
  [
    'more signatures than are looked at',
    `t=${seconds},${`v1=${'0'.repeat(64)},`.repeat(8)}${v1(stripeHeader())}`,
    [secret],
    'bad_signature',
  ],
])('refuseSignature: %s', (_, header, secrets, reason) => {
  expect(refuseSignature(body, header, secrets, nowMs)?.reason ?? null).toBe(reason)
})

it('refuseSignature tells a body that was changed by one byte', () => {
  const changed = Buffer.from(body)
  changed[5] = (changed[5] ?? 0) ^ 1
  expect(refuseSignature(changed, stripeHeader(), [secret], nowMs)?.reason).toBe('bad_signature')
})

it.each([
  ['accepts', stripeHeader()],
  ['refuses a stranger', stripeHeader(other)],
  ['refuses what is old', stripeHeader(secret, seconds - 301)],
  ['refuses nothing', ''],
])('refuseSignature and the official library agree: %s', (_, header) => {
  const official = (): boolean => {
    try {
      webhooks.constructEvent(body, header, secret, undefined, undefined, nowMs)
      return true
    } catch {
      return false
    }
  }
  expect(refuseSignature(body, header, [secret], nowMs) === null).toBe(official())
})
