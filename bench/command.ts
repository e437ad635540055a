import { UsageError } from '@penstock/testing/command-line.ts'
import { ProgressLine } from '@penstock/testing/progress-line.ts'
import { renderMarkdown } from './report/markdown.ts'
import { describeMachine, diskProblems } from './machine.ts'
import { saveReport } from './report/report.ts'
import type { Report } from './report/report.ts'

const interruptedCode = 130

export interface CommandContext {
  readonly signal: AbortSignal
  readonly progress: ProgressLine
}

export interface BenchCommand<Options> {
  readonly usage: string
  /** Null: only help is wanted. Throws UsageError. */
  readonly read: (argv: readonly string[]) => Options | null
  /** Measures until done or until `signal` says stop; either way the report has what was measured by then. */
  readonly run: (options: Options, context: CommandContext) => Promise<Report>
}

/** Runs a command of the laboratory: ^C still writes the report. Codes: 0 sound, 1 void or failed, 2 usage, 130 ^C. */
export async function runCommand<Options>({ usage, read, run }: BenchCommand<Options>): Promise<void> {
  try {
    const options = read(process.argv.slice(2))
    if (options === null) return console.log(usage)
    const interrupt = new AbortController()
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => interrupt.abort())
    const progress = new ProgressLine()
    try {
      const measured = await run(options, { signal: interrupt.signal, progress })
      const report = { ...measured, problems: [...diskProblems(describeMachine()), ...measured.problems] }
      progress.stop()
      console.log(renderMarkdown(report))
      console.log(`kept as ${saveReport(report)}.{md,json,html}`)
      process.exitCode = interrupt.signal.aborted ? interruptedCode : report.problems.length > 0 ? 1 : 0
    } finally {
      progress.stop()
    }
  } catch (error) {
    if (error instanceof UsageError) console.error(`${error.message}\n\n${usage}`)
    else console.error('the bench failed:', error)
    process.exitCode = error instanceof UsageError ? 2 : 1
  }
}

/** Runs `work` to its end or to the interrupt. Returns what to say about its end in the report: nothing when it is done. */
export async function untilStopped(signal: AbortSignal, work: () => Promise<void>): Promise<string[]> {
  try {
    await work()
    return []
  } catch (error) {
    if (signal.aborted) return ['interrupted: the report shows what was measured by then']
    return [`failed: ${error instanceof Error ? error.message : String(error)}`]
  }
}

/** As it was typed, for the report. */
export function typedCommand(script: string): string {
  const args = process.argv.slice(2)
  return `npm run ${script}${args.length > 0 ? ` -- ${args.join(' ')}` : ''}`
}
