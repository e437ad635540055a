import { listSettings } from '@penstock/domain/settings.ts'
import { exitCodes } from '../exit-code.ts'
import { table } from '../output.ts'
import { allSettingOptions, environmentOf, settingOptions } from '../settings.ts'
import type { SettingLine } from '@penstock/domain/settings.ts'
import type { Call, Command } from '../command.ts'

export const configPrint: Command = {
  name: 'config print',
  summary: 'show the settings in effect and where each comes from; secrets are masked',
  options: allSettingOptions,
  notes: 'Exit code 2 names every setting that is wrong. What they mean: docs/settings.md',
  run: (call, context) => {
    const settings = listSettings(environmentOf(call, context), context.cores).map((line) => ({
      name: line.name,
      value: masked(line),
      source: sourceOf(line, call),
    }))
    if (call.json) {
      context.output.json({ object: 'list', data: settings })
      return exitCodes.done
    }
    for (const line of table(
      [
        { title: 'setting', value: ({ name }) => name },
        { title: 'value', value: ({ value }) => value ?? '-' },
        { title: 'from', value: ({ source }) => source },
      ],
      settings,
    )) {
      context.output.line(line)
    }
    return exitCodes.done
  },
}

function sourceOf({ name, source }: SettingLine, call: Call): string {
  const option = settingOptions[name]
  if (option === undefined || call.text(option.name) === undefined) return source
  return `option ${option.option.flags.split(' ', 1)[0]}`
}

/** By name, so that a secret setting of tomorrow is masked before anybody thinks of it. */
function masked({ name, value }: SettingLine): string | number | null {
  if (typeof value !== 'string' || !/KEY|SECRET|TOKEN|PASSWORD/.test(name)) return value
  return `${/^[a-z]+_(test|live)_/.exec(value)?.[0] ?? ''}…${value.slice(-4)}`
}
