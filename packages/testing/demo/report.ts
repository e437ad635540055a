import { styleText } from 'node:util'
import { lostPayments } from './checks.ts'
import { requestKinds } from './tally.ts'
import type { Check } from './checks.ts'
import type { SaleFacts } from './facts.ts'
import type { DemoOptions } from './options.ts'
import type { SaleOutcome } from './sale.ts'
import type { Tally } from './tally.ts'

const kindNames = { read: 'read the drop', hold: 'hold', pay: 'pay', release: 'release' } as const

export interface Sale {
  readonly options: DemoOptions
  readonly tally: Tally
  readonly facts: SaleFacts
  readonly outcome: SaleOutcome
}

/** The result as a person reads it: figures from the database, latency as the buyers felt it. */
export function renderReport(sale: Sale, checks: readonly Check[]): string {
  const { options, tally, facts, outcome } = sale
  const title = `Sold ${count(facts.sold)} of ${count(facts.stock)} units to a crowd of ${count(options.buyers)} in ${seconds(outcome.elapsedMs)}`
  const conditions = `seed ${options.seed} · ${options.connections} connections · one writer, two HTTP processes · every answer after fsync`
  const rate = Math.round(tally.requests / (outcome.elapsedMs / 1_000))
  return [
    '',
    styleText('bold', title),
    styleText('dim', conditions),
    '',
    ...figures(sale, rate),
    '',
    ...latencies(tally),
    '',
    ...renderChecks(checks),
    '',
  ].join('\n')
}

function figures({ tally, facts, outcome }: Sale, rate: number): string[] {
  const { active = 0, captured = 0, released = 0, expired = 0 } = facts.holdsByStatus
  const soldOut = tally.refused.get('sold_out') ?? 0
  const others = [...tally.refused].filter(([code]) => code !== 'sold_out')
  const refundsDue = Object.values(facts.refundsDue).reduce((total, some) => total + some, 0)
  const lost = lostPayments(tally, facts).length
  const reasons = Object.entries(facts.refundsDue).map(
    ([reason, some]) => `${count(some)} ${reason.replaceAll('_', ' ')}`,
  )
  return [
    figure(
      'requests',
      tally.requests,
      `${count(rate)}/s; ${count(tally.replays)} repeated answers, ${count(tally.resent)} sent again`,
    ),
    figure('holds', facts.holds.size, 'claims on units for two seconds, each for one buyer'),
    figure(
      'refused',
      tally.refusals,
      `${count(soldOut)} sold out${others.map(([code, some]) => `, ${count(some)} ${code}`).join('')}`,
    ),
    figure('expired', expired, 'held, then never paid: their units went back on sale'),
    figure('released', released, 'held, then given back by the buyer'),
    figure(
      'paid',
      captured,
      `orders, ${count(facts.sold)} units of ${count(facts.stock)}; ${count(facts.paidLate)} paid late and still got theirs`,
    ),
    figure('refund_due', refundsDue, `money without goods, owed back: ${reasons.join(', ') || 'none'}`),
    ...(active > 0 ? [figure('active', active, 'still held')] : []),
    ...(outcome.unserved > 0 ? [figure('unserved', outcome.unserved, 'buyers who waited to the end in vain')] : []),
    mustBeZero('oversold', facts.oversold, 'units sold or held above stock'),
    mustBeZero('lost', lost, 'acknowledged payments that are not in the database'),
    figure('commits', facts.commits, 'transactions, each flushed to disk before anybody was answered'),
  ]
}

/** A line for each kind of request there was, under a head. */
export function latencies(tally: Pick<Tally, 'latency'>): string[] {
  const head = `  ${'latency'.padEnd(14)}${['requests', 'p50 ms', 'p99 ms', 'max ms'].map((name) => name.padStart(10)).join('')}`
  const lines = requestKinds.flatMap((kind) => {
    const histogram = tally.latency[kind]
    if (histogram.totalCount === 0) return []
    // A percentile is the upper end of its bucket, which may be above the slowest answer.
    const times = [50, 99, 100].map((percentile) =>
      Math.min(histogram.getValueAtPercentile(percentile), histogram.maxValue),
    )
    const cells = [count(histogram.totalCount), ...times.map((us) => (us / 1_000).toFixed(1))]
    return [`  ${kindNames[kind].padEnd(14)}${cells.map((cell) => cell.padStart(10)).join('')}`]
  })
  return [styleText('dim', head), ...lines]
}

function renderChecks(checks: readonly Check[]): string[] {
  const lines = checks.map(({ name, violation }) =>
    violation === null
      ? `  ${styleText('green', '✓')} ${name}`
      : `  ${styleText(['red', 'bold'], `✗ ${name}: ${violation}`)}`,
  )
  const failed = checks.filter(({ violation }) => violation !== null).length
  const verdict =
    failed === 0
      ? styleText(['green', 'bold'], `All ${checks.length} checks passed.`)
      : styleText(['red', 'bold'], `${failed} OF ${checks.length} CHECKS FAILED: A PROMISE IS BROKEN.`)
  return [...lines, '', verdict]
}

function figure(name: string, value: number, meaning: string): string {
  return `  ${name.padEnd(12)}${styleText('bold', count(value).padStart(9))}   ${styleText('dim', meaning)}`
}

function mustBeZero(name: string, value: number, meaning: string): string {
  const style = value === 0 ? 'green' : 'red'
  return `  ${name.padEnd(12)}${styleText([style, 'bold'], count(value).padStart(9))}   ${styleText('dim', `${meaning} (must be 0)`)}`
}

function count(value: number): string {
  return value.toLocaleString('en-US')
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`
}
