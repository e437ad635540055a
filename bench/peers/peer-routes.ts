import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import fastify from 'fastify'
import type { FastifyInstance } from 'fastify'

export const holdTtlMs = 86_400_000
export const maxPerCustomer = 2

export interface HoldBody {
  readonly drop: string
  readonly lines: readonly [{ readonly sku: string; readonly quantity: number }]
  readonly customer: { readonly email: string }
}

export interface PaymentBody {
  readonly hold: string
  readonly provider: string
  readonly provider_payment_id: string
  readonly amount: number
  readonly currency: string
}

/** Status and body of an answer; a text is JSON already. */
export interface PeerAnswer {
  readonly status: number
  readonly body: object | string
}

/** What a database has to do for a Fastify peer. */
export interface PeerSale {
  readonly listDrops: () => object | Promise<object>
  readonly createHold: (body: HoldBody) => PeerAnswer | Promise<PeerAnswer>
  readonly createPayment: (body: PaymentBody, key: string, fingerprint: string) => PeerAnswer | Promise<PeerAnswer>
}

const text = { type: 'string', minLength: 1, maxLength: 200 } as const
const amount = { type: 'integer', minimum: 0 } as const

const holdSchema = {
  type: 'object',
  required: ['drop', 'lines', 'customer'],
  properties: {
    drop: text,
    lines: {
      type: 'array',
      minItems: 1,
      maxItems: 1,
      items: {
        type: 'object',
        required: ['sku', 'quantity'],
        properties: { sku: text, quantity: { type: 'integer', minimum: 1 } },
      },
    },
    customer: { type: 'object', required: ['email'], properties: { email: text } },
  },
} as const

const paymentSchema = {
  type: 'object',
  required: ['hold', 'provider', 'provider_payment_id', 'amount', 'currency'],
  properties: { hold: text, provider: text, provider_payment_id: text, amount, currency: text },
} as const

/** The routes of the sale on Fastify as its users write them: schemas, no logger, handlers that return. */
export function makePeerApp(sale: PeerSale): FastifyInstance {
  const app = fastify({ logger: false })
  app.get('/v1/drops', () => sale.listDrops())
  app.post<{ Body: HoldBody }>('/v1/holds', { schema: { body: holdSchema } }, async ({ body }, reply) => {
    const answer = await sale.createHold(body)
    return reply.code(answer.status).send(answer.body)
  })
  app.post<{ Body: PaymentBody }>('/v1/payments', { schema: { body: paymentSchema } }, async (request, reply) => {
    const key = request.headers['idempotency-key']
    if (typeof key !== 'string') return reply.code(400).send({ status: 400, code: 'key_missing' })
    const answer = await sale.createPayment(request.body, key, JSON.stringify(request.body))
    return reply.code(answer.status).type('application/json').send(answer.body)
  })
  // A connection of the load generator rests here when its time is over.
  app.get('/park', () => sleep(2_000, {}))
  return app
}

export function refused(status: number, code: string): PeerAnswer {
  return { status, body: { status, code } }
}

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'

/** An id of the length of Penstock's: 26 characters of 5 bits. */
export function mint(prefix: string): string {
  let id = `${prefix}_`
  for (const byte of randomBytes(26)) id += alphabet.charAt(byte & 31)
  return id
}

/** Listens, says on which port, and ends with its parent. */
export async function servePeer(app: FastifyInstance): Promise<void> {
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  console.log(JSON.stringify({ port: Number(new URL(url).port) }))
  process.stdin.on('end', () => process.exit(0)).resume()
}
