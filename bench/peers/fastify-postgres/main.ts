import pg from 'pg'
import { holdTtlMs, makePeerApp, maxPerCustomer, mint, refused, servePeer } from '../peer-routes.ts'
import type { PoolClient, QueryResultRow } from 'pg'
import type { HoldBody, PaymentBody, PeerAnswer } from '../peer-routes.ts'

/**
 * Fastify over PostgreSQL: one transaction per request, rows locked FOR UPDATE and the hot one last, named prepared
 * statements, a pool of connections. PEER_POOL says how many, PEER_DATABASE where.
 */
const pool = new pg.Pool({
  connectionString: process.env['PEER_DATABASE'],
  max: Number(process.env['PEER_POOL'] ?? 10),
})
// Amounts fit into a number.
pg.types.setTypeParser(pg.types.builtins.INT8, Number)

function query<Row extends QueryResultRow>(client: PoolClient, name: string, text: string, values: unknown[]) {
  return client.query<Row>({ name, text, values })
}

/** COMMIT for an answer that was accepted, ROLLBACK for all else. */
async function transact(work: (client: PoolClient) => Promise<PeerAnswer>): Promise<PeerAnswer> {
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    const answer = await work(client)
    await client.query(answer.status < 300 ? 'COMMIT' : 'ROLLBACK')
    return answer
  } catch (error) {
    await client.query('ROLLBACK')
    throw error
  } finally {
    client.release()
  }
}

interface SkuRow extends QueryResultRow {
  readonly id: string
  readonly drop_id: string
  readonly name: string
  readonly unit_amount: number
  readonly currency: string
  readonly stock: number
  readonly held: number
  readonly sold: number
}

async function listDrops(): Promise<object> {
  const { rows } = await pool.query<SkuRow>({
    name: 'list',
    text: 'SELECT id, drop_id, name, unit_amount, currency, stock, held, sold FROM sku',
  })
  const data = rows.map(({ drop_id, currency, ...sku }) => ({
    id: drop_id,
    object: 'drop',
    status: 'live',
    currency,
    skus: [{ ...sku, available: sku.stock - sku.held - sku.sold }],
  }))
  return { object: 'list', data, has_more: false }
}

function createHold({ drop, lines, customer }: HoldBody): Promise<PeerAnswer> {
  const [{ sku, quantity }] = lines
  return transact(async (client) => {
    const buyer = await query<{ units: number }>(
      client,
      'buyer',
      'INSERT INTO buyer VALUES ($1, $2) ON CONFLICT (email) DO UPDATE SET units = buyer.units + excluded.units RETURNING units',
      [customer.email.toLowerCase(), quantity],
    )
    if ((buyer.rows[0]?.units ?? 0) > maxPerCustomer) return refused(409, 'limit_reached')
    const [id, secret, expiresMs] = [mint('hold'), mint('cs'), Date.now() + holdTtlMs]
    // The lock on the SKU is taken by the last statement, and held for the COMMIT only.
    const taken = await query<{ unit_amount: number; currency: string }>(
      client,
      'reserve',
      `WITH taken AS (UPDATE sku SET held = held + $1 WHERE id = $2 AND drop_id = $3 AND stock - held - sold >= $1
         RETURNING unit_amount, currency)
       INSERT INTO hold SELECT $4, $2, $5, $1, 'active', unit_amount * $1, currency, $6, $7 FROM taken
       RETURNING amount / quantity AS unit_amount, currency`,
      [quantity, sku, drop, id, customer.email, secret, expiresMs],
    )
    const [row] = taken.rows
    if (row === undefined) return refused(409, 'sold_out')
    const rest = { amount: row.unit_amount * quantity, currency: row.currency, client_secret: secret }
    const body = {
      id,
      object: 'hold',
      status: 'active',
      drop,
      lines,
      ...rest,
      expires_at: Math.floor(expiresMs / 1_000),
    }
    return { status: 201, body }
  })
}

function createPayment(body: PaymentBody, key: string, fingerprint: string): Promise<PeerAnswer> {
  const { hold, provider, provider_payment_id: providerPaymentId, amount, currency } = body
  return transact(async (client) => {
    const known = await query<{ fingerprint: string; answer: string }>(
      client,
      'key',
      'SELECT fingerprint, answer FROM request WHERE id = $1',
      [key],
    )
    const [request] = known.rows
    if (request !== undefined) {
      return request.fingerprint === fingerprint ? { status: 201, body: request.answer } : refused(422, 'key_reused')
    }
    const locked = await query<{ sku_id: string; status: string; amount: number; currency: string }>(
      client,
      'hold',
      'SELECT sku_id, status, amount, currency FROM hold WHERE id = $1 FOR UPDATE',
      [hold],
    )
    const [found] = locked.rows
    if (found === undefined) return refused(404, 'not_found')
    if (found.status !== 'active' || found.amount !== amount || found.currency !== currency) {
      return refused(409, 'refund_due')
    }
    const [id, order, nowMs] = [mint('pay'), mint('ord'), Date.now()]
    const answer = JSON.stringify({ id, object: 'payment', status: 'captured', order, ...body })
    await query(
      client,
      'capture',
      `WITH p AS (INSERT INTO payment VALUES ($1, $2, $3, $4, $5, 'captured', $6, $7, $8)),
         o AS (INSERT INTO orders VALUES ($5, $4, $1, $6, $7, $8)),
         l AS (INSERT INTO ledger_entry VALUES ($1, 'cash:' || $2, 'sales', $6, $7)),
         r AS (INSERT INTO request VALUES ($9, $10, $11, $8))
       UPDATE hold SET status = 'captured' WHERE id = $4`,
      [id, provider, providerPaymentId, hold, order, amount, currency, nowMs, key, fingerprint, answer],
    )
    await query(client, 'sell', 'UPDATE sku SET held = held - 1, sold = sold + 1 WHERE id = $1', [found.sku_id])
    return { status: 201, body: answer }
  })
}

await servePeer(makePeerApp({ listDrops, createHold, createPayment }))
