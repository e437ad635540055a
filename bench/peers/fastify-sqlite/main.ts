import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { holdTtlMs, makePeerApp, maxPerCustomer, mint, refused, servePeer } from '../peer-routes.ts'
import type { HoldBody, PaymentBody, PeerAnswer } from '../peer-routes.ts'

/**
 * Fastify over better-sqlite3: one process, one connection, one transaction per request. Tuned as its users do: WAL,
 * prepared statements, a page cache of 64 MiB. PEER_SYNCHRONOUS is FULL or NORMAL.
 */
const synchronous = process.env['PEER_SYNCHRONOUS'] === 'NORMAL' ? 'NORMAL' : 'FULL'
const db = new Database(join(process.env['PEER_FOLDER'] ?? '', 'peer.db'))
db.pragma('journal_mode = WAL')
db.pragma(`synchronous = ${synchronous}`)
db.pragma('cache_size = -65536')
db.pragma('temp_store = MEMORY')
db.exec(readFileSync(process.env['PEER_SCHEMA'] ?? '', 'utf8'))
if (db.pragma('synchronous', { simple: true }) !== (synchronous === 'FULL' ? 2 : 1)) throw new Error('not durable')

interface SkuRow {
  readonly id: string
  readonly drop_id: string
  readonly name: string
  readonly unit_amount: number
  readonly currency: string
  readonly stock: number
  readonly held: number
  readonly sold: number
}

interface HoldRow {
  readonly sku_id: string
  readonly status: string
  readonly amount: number
  readonly currency: string
}

const listSkus = db.prepare<[], SkuRow>('SELECT id, drop_id, name, unit_amount, currency, stock, held, sold FROM sku')
const findSku = db.prepare<[string], Pick<SkuRow, 'unit_amount' | 'currency'>>(
  'SELECT unit_amount, currency FROM sku WHERE id = ?',
)
const reserve = db.prepare('UPDATE sku SET held = held + ? WHERE id = ? AND drop_id = ? AND stock - held - sold >= ?')
const countBuyer = db
  .prepare<[string, number], number>(
    'INSERT INTO buyer VALUES (?, ?) ON CONFLICT (email) DO UPDATE SET units = units + excluded.units RETURNING units',
  )
  .pluck()
const insertHold = db.prepare("INSERT INTO hold VALUES (?, ?, ?, ?, 'active', ?, ?, ?, ?)")
const findKey = db.prepare<[string], { fingerprint: string; answer: string }>(
  'SELECT fingerprint, answer FROM request WHERE id = ?',
)
const findHold = db.prepare<[string], HoldRow>('SELECT sku_id, status, amount, currency FROM hold WHERE id = ?')
const insertPayment = db.prepare("INSERT INTO payment VALUES (?, ?, ?, ?, ?, 'captured', ?, ?, ?)")
const insertOrder = db.prepare('INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?)')
const insertEntry = db.prepare("INSERT INTO ledger_entry VALUES (?, ?, 'sales', ?, ?)")
const capture = db.prepare("UPDATE hold SET status = 'captured' WHERE id = ?")
const sell = db.prepare('UPDATE sku SET held = held - 1, sold = sold + 1 WHERE id = ?')
const insertKey = db.prepare('INSERT INTO request VALUES (?, ?, ?, ?)')

/** Rolls the transaction back, carrying the answer out of it. */
class Refusal extends Error {
  readonly answer: PeerAnswer
  constructor(answer: PeerAnswer) {
    super('refused')
    this.answer = answer
  }
}

function listDrops(): object {
  const data = listSkus.all().map(({ drop_id, currency, ...sku }) => ({
    id: drop_id,
    object: 'drop',
    status: 'live',
    currency,
    skus: [{ ...sku, available: sku.stock - sku.held - sku.sold }],
  }))
  return { object: 'list', data, has_more: false }
}

const createHold = db.transaction(({ drop, lines, customer }: HoldBody): PeerAnswer => {
  const [{ sku, quantity }] = lines
  const found = findSku.get(sku)
  if (found === undefined) throw new Refusal(refused(404, 'not_found'))
  if (reserve.run(quantity, sku, drop, quantity).changes === 0) throw new Refusal(refused(409, 'sold_out'))
  const units = countBuyer.get(customer.email.toLowerCase(), quantity) ?? 0
  if (units > maxPerCustomer) throw new Refusal(refused(409, 'limit_reached'))
  const [id, secret, expiresMs] = [mint('hold'), mint('cs'), Date.now() + holdTtlMs]
  const amount = found.unit_amount * quantity
  insertHold.run(id, sku, customer.email, quantity, amount, found.currency, secret, expiresMs)
  const rest = { amount, currency: found.currency, client_secret: secret, expires_at: Math.floor(expiresMs / 1_000) }
  return { status: 201, body: { id, object: 'hold', status: 'active', drop, lines, ...rest } }
})

const createPayment = db.transaction((body: PaymentBody, key: string, fingerprint: string): PeerAnswer => {
  const known = findKey.get(key)
  if (known !== undefined) {
    return known.fingerprint === fingerprint ? { status: 201, body: known.answer } : refused(422, 'key_reused')
  }
  const { hold, provider, provider_payment_id: providerPaymentId, amount, currency } = body
  const found = findHold.get(hold)
  if (found === undefined) return refused(404, 'not_found')
  if (found.status !== 'active' || found.amount !== amount || found.currency !== currency) {
    return refused(409, 'refund_due')
  }
  const [id, order, nowMs] = [mint('pay'), mint('ord'), Date.now()]
  const answer = JSON.stringify({ id, object: 'payment', status: 'captured', order, ...body })
  insertPayment.run(id, provider, providerPaymentId, hold, order, amount, currency, nowMs)
  insertOrder.run(order, hold, id, amount, currency, nowMs)
  insertEntry.run(id, `cash:${provider}`, amount, currency)
  capture.run(hold)
  sell.run(found.sku_id)
  insertKey.run(key, fingerprint, answer, nowMs)
  return { status: 201, body: answer }
})

await servePeer(
  makePeerApp({
    listDrops,
    createHold: (body) => {
      try {
        return createHold.immediate(body)
      } catch (error) {
        if (error instanceof Refusal) return error.answer
        throw error
      }
    },
    createPayment: (body, key, fingerprint) => createPayment.immediate(body, key, fingerprint),
  }),
)
