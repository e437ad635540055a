import { join, resolve } from 'node:path'
import { showAmount } from '../amount.ts'
import { exitCodes, usageError } from '../exit-code.ts'
import { facts, table } from '../output.ts'
import { dataOption, settingsOf } from '../settings.ts'
import type { AuditReport, Violation } from '@penstock/store/maintenance.ts'
import type { Command, Context } from '../command.ts'

export const audit: Command = {
  name: 'audit',
  summary: 'prove that the data is consistent: money, stock, orders, indexes; also while the box runs',
  options: [dataOption, { flags: '--only <check>', summary: 'run only this check; may be repeated', repeatable: true }],
  notes: `Reads only. Each check is one snapshot of its own, so that a running box can reuse its write-ahead log between two
checks: what is found is true of some commit while the audit ran, whose first and last are printed.
Exit code 3: something is broken; the first rows of each broken check are named.`,
  run: async (call, context) => {
    const { dataFolder } = settingsOf(call, context)
    const maintenance = await context.openMaintenance()
    const only = call.list('only')
    for (const name of only) {
      if (maintenance.auditChecks.includes(name)) continue
      throw usageError(`--only ${name}: there is no such check. The checks are: ${maintenance.auditChecks.join(', ')}.`)
    }
    const startMs = context.clock()
    const report = maintenance.audit(dataFolder, {
      ...(only.length > 0 ? { only } : {}),
      onCheck: (check, index, count) =>
        context.output.progress(check === null ? 'counting rows' : `check ${index + 1} of ${count}: ${check}`),
    })
    const tookMs = context.clock() - startMs
    const isSound = report.violations.length === 0
    if (call.json) context.output.json({ object: 'audit', sound: isSound, took_ms: tookMs, ...wireReport(report) })
    else printReport(report, join(resolve(dataFolder), 'penstock.db'), tookMs, context)
    return isSound ? exitCodes.done : exitCodes.unsound
  },
}

function wireReport({ seqFrom, seqTo, ...rest }: AuditReport): object {
  return { seq_from: seqFrom, seq_to: seqTo, ...rest }
}

function printReport(report: AuditReport, path: string, tookMs: number, { output }: Context): void {
  const { seqFrom, seqTo, rows, payments, balances, checks, violations } = report
  const count = (rowCount: number): string => rowCount.toLocaleString('en-US')
  output.line(path)
  output.line()
  for (const line of facts([
    ['commit', seqFrom === seqTo ? seqFrom : `${seqFrom} to ${seqTo} (the box was at work)`],
    ...Object.entries(rows).map(([name, rowCount]) => [`rows of ${name}`, count(rowCount)] as const),
    ...payments.map(
      (sum) => [`${sum.status} payments`, `${count(sum.count)}, ${showAmount(sum.amount, sum.currency)}`] as const,
    ),
    ...balances.map((kept) => [`balance of ${kept.account}`, showAmount(kept.balance, kept.currency)] as const),
  ])) {
    output.line(`  ${line}`)
  }
  output.line()
  const broken = new Set(violations.map(({ check }) => check))
  for (const check of checks) {
    output.line(`  ${broken.has(check) ? output.paint('red', 'BROKEN') : output.paint('green', 'ok    ')}  ${check}`)
  }
  output.line()
  const took = `${(tookMs / 1_000).toFixed(1)} s`
  if (broken.size === 0) {
    output.line(output.paint('green', `Sound: ${checks.length} checks found nothing wrong, in ${took}.`))
    return
  }
  for (const line of violationLines(violations)) output.line(line)
  output.line()
  output.line(
    output.paint('red', `BROKEN: ${broken.size} of ${checks.length} checks found something wrong, in ${took}.`),
  )
  output.line('Stop selling, keep a copy of the data folder, and look at these rows.')
}

function violationLines(violations: readonly Violation[]): string[] {
  return table(
    [
      { title: 'check', value: ({ check }) => check },
      { title: 'table', value: (row) => row.table },
      { title: 'key', value: ({ key }) => key },
      { title: 'expected', value: ({ expected }) => expected },
      { title: 'found', value: ({ found }) => found },
    ],
    violations,
  )
}
