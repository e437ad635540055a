import { Command as Parser, CommanderError, Help } from 'commander'
import { SettingsError } from '@penstock/domain/settings.ts'
import { Call } from './command.ts'
import { commands, groups, jsonOption } from './commands/index.ts'
import { CommandError, exitCodeMeanings, exitCodes, usageError } from './exit-code.ts'
import type { Command, Context } from './command.ts'
import type { ExitCode } from './exit-code.ts'

/** Runs one command line (without the program's name) and returns its exit code. Never throws. */
export async function runCommandLine(argv: readonly string[], version: string, context: Context): Promise<ExitCode> {
  let code: ExitCode = exitCodes.done
  const json = argv.includes(jsonOption.flags)
  const program = buildParser(version, json, context, async (command, call) => {
    code = await command.run(call, context)
  })
  try {
    await program.parseAsync(argv, { from: 'user' })
    return code
  } catch (error) {
    // Help, the version, and wrong usage, which was explained when it was found.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage
    return reportError(error, json, context)
  }
}

type Run = (command: Command, call: Call) => Promise<void>

function buildParser(version: string, json: boolean, context: Context, run: Run): Parser {
  const { output } = context
  const program = new Parser('penstock')
    .description('A server for limited drops: fixed stock, a fixed moment, a flood of buyers, real money.')
    .version(version)
    .exitOverride()
    .showHelpAfterError(json ? false : '(penstock --help, or --help after a command, explains)')
    .configureOutput({
      writeOut: (text) => output.line(text.trimEnd()),
      writeErr: (text) => output.note(text.trimEnd()),
      outputError: (text, write) => {
        if (json) reportError(usageError(text.trim().replace(/^error: /, '')), json, context)
        else write(text)
      },
    })
  program.configureHelp({
    formatHelp: (parser, helper) => (parser === program ? overview(program, helper) : standard(parser, helper)),
  })
  const parents = new Map<string, Parser>()
  for (const command of commands) {
    const words = command.name.split(' ')
    const word = words.at(-1) ?? ''
    const [group] = words
    let parent = program
    if (words.length > 1 && group !== undefined) {
      parent = parents.get(group) ?? program.command(group).description(groups[group] ?? '')
      parents.set(group, parent)
    }
    addCommand(parent.command(word), command, run)
  }
  return program
}

function addCommand(parser: Parser, command: Command, run: Run): void {
  parser.description(`${command.summary}.`)
  for (const { usage, summary } of command.args ?? []) parser.argument(usage, summary)
  for (const { flags, summary, repeatable } of [...(command.options ?? []), jsonOption]) {
    if (repeatable === true) parser.option(flags, summary, (value, before: readonly string[]) => [...before, value], [])
    else parser.option(flags, summary)
  }
  if (command.notes !== undefined) parser.addHelpText('after', `\n${command.notes}`)
  parser.allowExcessArguments(false).action(() => run(command, new Call(parser.args, parser.opts())))
}

/** An empty list as default is nobody's business. */
class PlainHelp extends Help {
  override optionDescription({ description }: { description: string }): string {
    return description
  }
}

function standard(parser: Parser, helper: Help): string {
  const plain = new PlainHelp()
  plain.helpWidth = helper.helpWidth ?? 80
  return plain.formatHelp(parser, plain)
}

/** `penstock --help`: every command on one page. */
function overview(program: Parser, helper: Help): string {
  const width = Math.max(...commands.map(({ name }) => name.length))
  return [
    'Usage: penstock <command> [options]',
    '',
    helper.commandDescription(program),
    '',
    'Commands:',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    'Every command takes --help, and --json for programs: one JSON object on stdout, errors as JSON on stderr.',
    '',
    'Exit codes:',
    ...Object.entries(exitCodeMeanings).map(([code, meaning]) => `  ${code}  ${meaning}`),
    '',
    'To begin: penstock init. All commands with examples: docs/cli.md; settings: docs/settings.md.',
    '',
  ].join('\n')
}

/** A sentence for the user, or with `json` an object. */
function reportError(error: unknown, json: boolean, { output }: Context): ExitCode {
  const message = error instanceof Error ? error.message : String(error)
  const exitCode = exitCodeOf(error)
  if (json) {
    const facts = error instanceof CommandError ? error.facts : {}
    output.note(JSON.stringify({ error: { exit_code: exitCode, message, ...facts } }))
  } else output.note(message)
  return exitCode
}

function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CommandError) return error.exitCode
  if (error instanceof SettingsError) return exitCodes.usage
  const code = error instanceof Error && 'code' in error ? error.code : null
  // NoDatabaseError of the store: it is another folder that was meant.
  if (code === 'no_database') return exitCodes.usage
  // SchemaError of the store: starting again does not help, and its message says what does.
  return code === 'schema_mismatch' ? exitCodes.refused : exitCodes.failed
}
