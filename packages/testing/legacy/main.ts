import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { openReader } from '@penstock/store-sqlite/open.ts'
import { Box } from '../box.ts'
import { Client } from '../client.ts'
import { readingOptions, UsageError, wholeOption } from '../command-line.ts'
import { runMix } from './load-mix.ts'

const usage = `usage: npm run load:legacy -- [--rounds N] [--workers N] [--stock N] [--seed N]

Starts a box in a temporary folder, sells one drop with the old system's load (60% list, 20% purchase and its webhook, 10%
webhook of an unknown order, 10% nothing), and counts the rows of the database afterwards.
  --rounds N    (5000)
  --workers N   rounds under way at once (32)
  --stock N     units on sale (500)
  --seed N      repeats the choices of an earlier run (random)

Exit codes: 0 rows and answers agree, 1 they do not, 2 wrong options.`

async function main(): Promise<number> {
  const { values } = readingOptions(() =>
    parseArgs({
      options: {
        rounds: { type: 'string', default: '5000' },
        workers: { type: 'string', default: '32' },
        stock: { type: 'string', default: '500' },
        seed: { type: 'string', default: String(randomInt(2 ** 31)) },
        help: { type: 'boolean', default: false },
      },
    }),
  )
  if (values.help) return print(usage, 0)
  const rounds = wholeOption('rounds', values.rounds, { min: 1, max: 10_000_000 })
  const workers = wholeOption('workers', values.workers, { min: 1, max: 1_000 })
  const stock = wholeOption('stock', values.stock, { min: 1, max: 100_000_000 })
  const seed = wholeOption('seed', values.seed, { min: 0, max: 2 ** 32 - 1 })
  const box = await Box.start({ environment: { PENSTOCK_ALLOW_UNSIGNED_TEST_WEBHOOKS: '1' } })
  const seller = new Client(box.url, box.secretKey)
  const client = new Client(box.url, '', { connections: workers })
  try {
    const sku = { name: 'Hoodie', unit_amount: 490_000, stock }
    const drop = await seller.post<{ id: string }>('/v1/drops', { name: 'Old drop', currency: 'vnd', skus: [sku] })
    await seller.post(`/v1/drops/${drop.body.id}/publish`)
    const startMs = performance.now()
    const report = await runMix(client, { rounds, workers, seed })
    const seconds = (performance.now() - startMs) / 1_000
    const orders = countOrders(box.databasePath)
    const agree = orders === report.paid && report.failures.length === 0
    print(
      JSON.stringify({ seed, seconds, ...report, failures: report.failures.slice(0, 10), orders, agree }, null, 2),
      0,
    )
    return agree ? 0 : 1
  } finally {
    for (const open of [seller, client]) open.close()
    await box.stop()
  }
}

function countOrders(databasePath: string): number {
  const db = openReader(databasePath)
  try {
    return db.prepare<[], number>('SELECT count(*) FROM orders').pluck().get() ?? 0
  } finally {
    db.close()
  }
}

function print(text: string, code: number): number {
  console.log(text)
  return code
}

main().then(
  (code) => {
    process.exitCode = code
  },
  (error: unknown) => {
    console.error(error instanceof UsageError ? error.message : error)
    process.exitCode = error instanceof UsageError ? 2 : 1
  },
)
