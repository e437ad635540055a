import { PayOS } from '@payos/node'
import { describe, expect, it } from 'vitest'
import { amountMax } from '@penstock/domain/limits.ts'
import { signPayos } from './payos-signature.ts'
import { translatePayosWebhook } from './payos-webhook.ts'
import type { Webhook } from '@payos/node'
import type { WebhookVerdict } from './provider.ts'

const checksumKey = '1a54716c8f0efb2744fb28b6e38b25da7f67a925d98bc1c18bd8faaecadd7675'

/** As https://payos.vn/docs/tich-hop-webhook/ has it; numbers are ours. No `status`, and no header. */
const data = {
  orderCode: 217_829_381_923_841,
  amount: 3_000,
  description: 'VQRIO123',
  accountNumber: '12345678',
  reference: 'TF230204212323',
  transactionDateTime: '2023-02-04 18:25:00',
  currency: 'VND',
  paymentLinkId: 'b1c7a0c1f5d94a4d9e6a3a5b8f6d2c11',
  code: '00',
  desc: 'Thành công',
  counterAccountBankId: null,
  counterAccountBankName: '',
  counterAccountName: null,
  counterAccountNumber: '',
  virtualAccountName: '',
  virtualAccountNumber: '',
}

function webhook(changed: object = {}, signature?: unknown): object {
  const sent = { ...data, ...changed }
  return {
    code: '00',
    desc: 'success',
    success: true,
    data: sent,
    signature: signature ?? signPayos(sent, checksumKey),
  }
}

function translate(body: object | string, hold: string | null = 'hold_1'): WebhookVerdict {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  return translatePayosWebhook(bytes, checksumKey, () => hold)
}

describe('S7: a webhook of payOS', () => {
  it('is believed for its field signature, over its sorted data, with the checksum key, as the official library does', async () => {
    expect(translate(webhook())).toEqual({
      ok: true,
      eventId: '217829381923841-TF230204212323',
      fact: {
        kind: 'payment_captured',
        providerPaymentId: '217829381923841-TF230204212323',
        holdId: 'hold_1',
        amountMinor: 3_000,
        currency: 'vnd',
      },
    })
    const official = new PayOS({ clientId: 'client', apiKey: 'key', checksumKey })
    expect(await official.webhooks.verify(webhook() as Webhook)).toMatchObject({ orderCode: data.orderCode })
  })

  it.each<[string, object | string]>([
    ['signed with the API key', webhook({}, signPayos(data, 'api-key'))],
    ['with another amount than was signed', { ...webhook(), data: { ...data, amount: 1 } }],
    ['with another order code', { ...webhook(), data: { ...data, orderCode: 1 } }],
    ['with a field more', { ...webhook(), data: { ...data, status: 'PAID' } }],
    ['without a signature', { ...webhook(), signature: undefined }],
    ['with an empty signature', webhook({}, '')],
    ['with a signature in upper case', webhook({}, signPayos(data, checksumKey).toUpperCase())],
    ['with a signature in a list', webhook({}, [signPayos(data, checksumKey)])],
    ['without data', { code: '00', signature: 'x' }],
    ['with a list for data', { data: [], signature: 'x' }],
    ['with null for data', { data: null, signature: 'x' }],
    ['that is a list', '[]'],
    ['that is no JSON', '{'],
    ['that is empty', ''],
    [
      'with an order code that JavaScript rounds',
      JSON.stringify(webhook()).replace('217829381923841', '9007199254740993'),
    ],
  ])('%s is refused', (_name, body) => {
    expect(translate(body)).toMatchObject({ ok: false, reason: 'bad_signature' })
  })

  it.each<[string, object, string]>([
    ['a text for the order code', { orderCode: '123' }, 'orderCode'],
    ['an order code above 2^53', { orderCode: 2 ** 53 }, 'orderCode'],
    ['a broken amount', { amount: 0.5 }, 'amount'],
    ['a negative amount', { amount: -1 }, 'amount'],
    ['no amount', { amount: 0 }, 'amount'],
    ['more than any payment', { amount: amountMax + 1 }, 'amount'],
    ['another currency', { currency: 'USD' }, 'currency'],
    ['no reference', { reference: '' }, 'reference'],
    ['an endless reference', { reference: 'x'.repeat(151) }, 'reference'],
    ['a reference with a NUL', { reference: 'a\0b' }, 'reference'],
    ['a reference with half of a surrogate pair', { reference: 'a\ud800' }, 'reference'],
  ])('signed, but with %s, is malformed', (_name, changed, field) => {
    expect(translate(webhook(changed))).toMatchObject({
      ok: false,
      reason: 'malformed',
      detail: expect.stringContaining(`data.${field}`) as string,
    })
  })

  it('is one event however often it comes; another transfer for the order is another', () => {
    const eventOf = (changed: object): unknown => (translate(webhook(changed)) as { eventId?: string }).eventId
    expect(eventOf({})).toBe(eventOf({}))
    expect(eventOf({ reference: 'TF2' })).not.toBe(eventOf({}))
  })

  it('for an order code of nobody is money all the same, for a hold that is not there', () => {
    expect(translate(webhook(), null)).toMatchObject({ fact: { holdId: 'payos_order_217829381923841' } })
  })

  it('is nothing to us when it reports no transfer, or is the example of the documentation', () => {
    expect(translate(webhook({ code: '01' }))).toMatchObject({ ok: true, fact: { kind: 'ignored' } })
    const example = { orderCode: 123, paymentLinkId: '124c33293c43417ab7879e14c8d9eb18' }
    expect(translate(webhook(example))).toMatchObject({ ok: true, fact: { kind: 'ignored' } })
  })
})
