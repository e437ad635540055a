import { parseArgs } from 'node:util'
import { Box } from '../box.ts'
import { readingOptions, UsageError, wholeOption } from '../command-line.ts'
import { currentDocument } from '../openapi/golden.ts'
import { runCampaign } from './campaign.ts'
import { stockEnvironment } from './stock-pool.ts'

const usage = `usage: npm run fuzz -- [--count N] [--seconds N] [--seed N] [--transport uws|node]

Starts a box of its own and sends it generated requests of every operation in the OpenAPI document.
  --count N       requests of each operation, at most (500)
  --seconds N     for each operation, at most (20)
  --seed N        repeats the choices of an earlier run (random)
  --transport T   uws or node (the default of the box)

Exit codes: 0 every answer is as documented, 1 one is not or the run failed, 2 wrong options.
`

async function main(): Promise<number> {
  const { values } = readingOptions(() =>
    parseArgs({
      options: {
        count: { type: 'string', default: '500' },
        seconds: { type: 'string', default: '20' },
        seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
        transport: { type: 'string', default: 'auto' },
        help: { type: 'boolean', default: false },
      },
    }),
  )
  if (values.help) {
    process.stdout.write(usage)
    return 0
  }
  const { transport } = values
  if (transport !== 'auto' && transport !== 'uws' && transport !== 'node') {
    throw new UsageError('--transport must be uws or node')
  }
  const seed = wholeOption('seed', values.seed, { min: 0, max: 2 ** 31 })
  const options = {
    seed,
    requestsPerOperation: wholeOption('count', values.count, { min: 1, max: 1_000_000 }),
    timeMs: wholeOption('seconds', values.seconds, { min: 1, max: 86_400 }) * 1_000,
  }
  console.log(`seed ${seed}`)
  const box = await Box.start({ transport, environment: stockEnvironment })
  const pids = JSON.stringify(box.pids)
  try {
    const reports = await runCampaign(box, currentDocument(), {
      ...options,
      onOperation: ({ operationId, requests, statuses }) => {
        const counts = [...statuses].toSorted(([a], [b]) => a - b).map(([status, count]) => `${status}×${count}`)
        console.log(`${operationId.padEnd(20)} ${String(requests).padStart(5)} requests: ${counts.join(' ')}`)
      },
    })
    if (JSON.stringify(box.pids) !== pids) throw new Error(`a process of the box was replaced:\n${box.output}`)
    console.log(`${reports.reduce((sum, { requests }) => sum + requests, 0)} requests, every answer as documented`)
    return 0
  } finally {
    await box.stop()
  }
}

main().then(
  (code) => {
    process.exitCode = code
  },
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = error instanceof UsageError ? 2 : 1
  },
)
