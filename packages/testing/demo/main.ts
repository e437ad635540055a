import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Box } from '../box.ts'
import { UsageError } from '../command-line.ts'
import { bar, ProgressLine } from '../progress-line.ts'
import { checkSale } from './checks.ts'
import { readSaleFacts } from './facts.ts'
import { demoUsage, readDemoOptions } from './options.ts'
import { planBuyers } from './plan.ts'
import { renderReport } from './report.ts'
import { runSale } from './sale.ts'
import { Shop } from './shop.ts'
import { Tally } from './tally.ts'
import type { DemoOptions } from './options.ts'
import type { SaleOutcome, SaleView } from './sale.ts'

/** Short, so that holds really expire while the demo runs. The deadline is rounded up to a whole second. */
const holdTtlSeconds = 2
const interruptedCode = 130

/** Plays the sale on the box and stops it. The data folder stays for the audit. */
async function play(
  options: DemoOptions,
  dataFolder: string,
  tally: Tally,
  progress: ProgressLine,
  signal: AbortSignal,
): Promise<SaleOutcome> {
  progress.show(() => 'starting a box: one writer, two HTTP processes')
  const box = await Box.start({ dataFolder, httpProcesses: 2 })
  try {
    signal.throwIfAborted()
    const { stock, buyers, seed, connections } = options
    const shop = await Shop.open(box.url, box, tally, { stock, connections, holdTtlSeconds })
    let view: SaleView = { stock: { stock, held: 0, sold: 0, available: stock }, waiting: 0, elapsedMs: 0 }
    progress.show(() => describeSale(view, tally, options, progress.columns))
    try {
      return await runSale(shop, planBuyers(buyers, seed), tally, {
        signal,
        onView: (next) => {
          view = next
        },
      })
    } finally {
      shop.close()
    }
  } finally {
    progress.show(() => 'stopping the box')
    await box.stop()
  }
}

function describeSale(view: SaleView, tally: Tally, { buyers }: DemoOptions, columns: number): string {
  const { stock, sold, held } = view.stock
  const facts = [
    `${count(sold)}/${count(stock)} sold`,
    `${count(held)} held`,
    `${count(tally.buyersArrived)}/${count(buyers)} buyers`,
    `${count(view.waiting)} waiting`,
    `${(view.elapsedMs / 1_000).toFixed(1)} s`,
  ].join(' · ')
  const room = columns - facts.length - 3
  return room < 8 ? facts : `${bar(sold / stock, Math.min(30, room))}  ${facts}`
}

function count(value: number): string {
  return value.toLocaleString('en-US')
}

async function main(argv: readonly string[]): Promise<number> {
  const options = readDemoOptions(argv)
  if (options === null) {
    console.log(demoUsage)
    return 0
  }
  const interrupt = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => interrupt.abort())
  const dataFolder = mkdtempSync(join(tmpdir(), 'penstock-demo-'))
  const progress = new ProgressLine()
  progress.note(
    `${count(options.buyers)} buyers, ${count(options.stock)} units, seed ${options.seed} (--seed ${options.seed} repeats this crowd)`,
  )
  try {
    const tally = new Tally()
    const outcome = await play(options, dataFolder, tally, progress, interrupt.signal)
    progress.stop()
    const facts = readSaleFacts(join(dataFolder, 'penstock.db'))
    const checks = checkSale(tally, facts, outcome)
    console.log(renderReport({ options, tally, facts, outcome }, checks))
    return checks.every(({ violation }) => violation === null) ? 0 : 1
  } catch (error) {
    progress.stop()
    if (!interrupt.signal.aborted) throw error
    console.error('interrupted: the box is stopped and its folder removed')
    return interruptedCode
  } finally {
    progress.stop()
    rmSync(dataFolder, { recursive: true, force: true })
  }
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (error instanceof UsageError) console.error(`${error.message}\n\n${demoUsage}`)
  else console.error('the demo failed:', error)
  process.exitCode = error instanceof UsageError ? 2 : 1
}
