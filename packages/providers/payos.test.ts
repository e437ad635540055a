import { createServer } from 'node:http'
import { PayOS } from '@payos/node'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { idNumber } from '@penstock/domain/id-number.ts'
import { payosAttemptsMax } from '@penstock/domain/limits.ts'
import { PayosProvider } from './payos.ts'
import { signPayos } from './payos-signature.ts'
import type { AddressInfo } from 'node:net'
import type { ProviderPaymentRequest } from './provider.ts'

const checksumKey = '1a54716c8f0efb2744fb28b6e38b25da7f67a925d98bc1c18bd8faaecadd7675'
const holdId = 'hold_01jt9rkzvke7r80000000000ab'
const orderCode = idNumber(holdId)
const call = { deadlineMs: 5_000 }

/** An answer of payOS, recorded from its documentation. */
interface Scripted {
  readonly status?: number
  readonly body: object | string
}

interface Seen {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: Record<string, unknown>
}

let script: Scripted[] = []
let seen: Seen[] = []
/** payOS as far as its contract goes: it answers as its documentation says and remembers what it was asked. */
const payos = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const text = Buffer.concat(chunks).toString('utf8')
    const body = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>
    seen.push({ method: request.method ?? '', path: request.url ?? '', headers: request.headers, body })
    const { status = 200, body: answer } = script.shift() ?? { status: 500, body: 'nothing is scripted' }
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(typeof answer === 'string' ? answer : JSON.stringify(answer))
  })
})
let provider: PayosProvider

beforeAll(async () => {
  await new Promise<void>((resolve) => {
    payos.listen(0, '127.0.0.1', resolve)
  })
  const { port } = payos.address() as AddressInfo
  provider = new PayosProvider({
    clientId: 'client-1',
    apiKey: 'api-key-1',
    checksumKey,
    returnUrl: 'https://shop.example/back',
    findHoldId: (code) => (code === orderCode ? holdId : null),
    baseUrl: `http://127.0.0.1:${port}`,
  })
})
afterAll(() => void payos.close())
beforeEach(() => {
  script = []
  seen = []
})

const success = (data: Record<string, unknown>): Scripted => ({
  body: { code: '00', desc: 'success', data, signature: signPayos(data, checksumKey) },
})
const repeated = (times: number, answer: Scripted): Scripted[] => Array.from({ length: times }, () => answer)
const refusal = (code: string): Scripted => ({ body: { code, desc: 'no', data: null } })

const link = {
  bin: '970422',
  accountNumber: '113366668888',
  amount: 50_000,
  description: 'Friday dr',
  orderCode,
  currency: 'VND',
  paymentLinkId: 'abc123',
  status: 'PENDING',
  checkoutUrl: 'https://pay.payos.vn/web/abc123',
  qrCode: '000201',
}
const transfer = { reference: 'FT1', amount: 50_000, transactionDateTime: '2026-01-01 10:00:00', accountNumber: '1' }
const state = { id: 'abc123', orderCode, amount: 50_000, amountPaid: 50_000, status: 'PAID', transactions: [transfer] }

const request: ProviderPaymentRequest = {
  holdId,
  amountMinor: 50_000,
  currency: 'vnd',
  description: 'Friday drop',
  email: 'an@example.vn',
  returnUrl: null,
  expiresMs: 1_800_000_000_000,
  holdSecret: 'cs_never_sent',
  idempotencyKey: `penstock-payment-${holdId}`,
}

describe('PayosProvider.createPayment', () => {
  it('asks for a link with a signature that the official library makes too', async () => {
    script = [success(link)]
    expect(await provider.createPayment(request, call)).toEqual({
      providerPaymentId: String(orderCode),
      url: 'https://pay.payos.vn/web/abc123',
      clientSecret: null,
      expiresMs: 1_800_000_000_000,
    })
    const [sent] = seen
    expect(sent).toMatchObject({
      method: 'POST',
      path: '/v2/payment-requests',
      headers: { 'x-client-id': 'client-1', 'x-api-key': 'api-key-1' },
    })
    const signed = {
      amount: 50_000,
      cancelUrl: 'https://shop.example/back',
      description: 'Friday dr',
      orderCode,
      returnUrl: 'https://shop.example/back',
    }
    const { crypto } = new PayOS({ clientId: 'client-1', apiKey: 'api-key-1', checksumKey })
    const signature = await crypto.createSignatureOfPaymentRequest(signed, checksumKey)
    expect(sent?.body).toEqual({ ...signed, expiredAt: 1_800_000_000, buyerEmail: 'an@example.vn', signature })
    expect(JSON.stringify(seen)).not.toContain('cs_never_sent')
  })

  it('finds the link that an earlier call made', async () => {
    script = [refusal('231'), success({ ...state, status: 'PENDING', transactions: [] })]
    expect(await provider.createPayment(request, call)).toMatchObject({ url: 'https://pay.payos.vn/web/abc123' })
    expect(seen[1]).toMatchObject({ method: 'GET', path: `/v2/payment-requests/${orderCode}` })
  })

  it.each<[string, Partial<ProviderPaymentRequest>, Scripted[], object]>([
    ['another currency, without asking', { currency: 'usd' }, [], { code: 'refused', retryable: false }],
    ['a link with another amount', {}, [refusal('231'), success({ ...state, amount: 1 })], { code: 'refused' }],
    ['a refusal', {}, [refusal('20')], { code: 'refused', retryable: false }],
    ['wrong keys', {}, [{ status: 401, body: {} }], { code: 'misconfigured', retryable: false }],
    [
      'an answer with a wrong signature',
      {},
      [{ body: { code: '00', desc: '', data: link, signature: 'x' } }],
      { code: 'misconfigured' },
    ],
    [
      'a page instead of an answer',
      {},
      repeated(payosAttemptsMax, { body: '<html>' }),
      { code: 'unreachable', retryable: true },
    ],
    [
      'too many requests',
      {},
      repeated(payosAttemptsMax, { status: 429, body: {} }),
      { code: 'rate_limited', retryable: true },
    ],
  ])('rejects: %s', async (_name, fields, answers, error) => {
    script = answers
    await expect(provider.createPayment({ ...request, ...fields }, call)).rejects.toMatchObject(error)
    expect(script).toEqual([])
  })

  it('tries again what may pass', async () => {
    script = [{ status: 503, body: {} }, success(link)]
    expect(await provider.createPayment(request, call)).toMatchObject({ url: link.checkoutUrl })
  })

  it('ends by its deadline', async () => {
    script = repeated(9, { status: 503, body: {} })
    await expect(provider.createPayment(request, { deadlineMs: 50 })).rejects.toMatchObject({ retryable: true })
  })
})

describe('PayosProvider.findPayment', () => {
  const captured = {
    kind: 'payment_captured',
    providerPaymentId: `${orderCode}-FT1`,
    holdId,
    amountMinor: 50_000,
    currency: 'vnd',
  }
  it.each<[string, Scripted, object]>([
    ['PAID', success(state), { status: 'paid', facts: [captured] }],
    ['PENDING', success({ ...state, status: 'PENDING', transactions: [] }), { status: 'open', facts: [] }],
    ['UNDERPAID', success({ ...state, status: 'UNDERPAID' }), { status: 'open', facts: [captured] }],
    ['CANCELLED', success({ ...state, status: 'CANCELLED', transactions: [] }), { status: 'cancelled', facts: [] }],
    ['EXPIRED', success({ ...state, status: 'EXPIRED', transactions: null }), { status: 'cancelled', facts: [] }],
    ['unknown', refusal('101'), { status: 'unknown', facts: [] }],
  ])('%s', async (_name, answer, expected) => {
    script = [answer]
    expect(await provider.findPayment(String(orderCode), call)).toEqual(expected)
  })

  it('does not ask for what is no order code', async () => {
    expect(await provider.findPayment('pi_123', call)).toEqual({ status: 'unknown', facts: [] })
    expect(seen).toEqual([])
  })
})

describe('PayosProvider.cancelPayment', () => {
  it.each<[string, Scripted[], string]>([
    ['cancelled', [success({ ...state, status: 'CANCELLED' })], 'cancelled'],
    ['already paid', [refusal('102'), success(state)], 'already_paid'],
    ['already cancelled', [refusal('102'), success({ ...state, status: 'CANCELLED' })], 'already_cancelled'],
  ])('%s', async (_name, answers, expected) => {
    script = answers
    expect(await provider.cancelPayment(String(orderCode), call)).toBe(expected)
    expect(seen[0]).toMatchObject({ method: 'POST', path: `/v2/payment-requests/${orderCode}/cancel` })
  })

  it('rejects when it is refused and still open', async () => {
    script = [refusal('102'), success({ ...state, status: 'PENDING' })]
    await expect(provider.cancelPayment(String(orderCode), call)).rejects.toMatchObject({ code: 'refused' })
  })
})

describe('PayosProvider.refund', () => {
  it('says that the seller has to make it', async () => {
    expect(provider.canRefund).toBe(false)
    await expect(provider.refund()).rejects.toMatchObject({ code: 'refused', retryable: false })
    await expect(provider.refund()).rejects.toThrow('yourself')
  })
})
