import { readSettings } from '@penstock/domain/settings.ts'
import type { Settings } from '@penstock/domain/settings.ts'
import type { Call, Context, Option } from './command.ts'

/** Options that win over a setting, by the variable they stand for. */
export const settingOptions: Readonly<Record<string, { readonly name: string; readonly option: Option }>> = {
  PENSTOCK_DATA: { name: 'data', option: { flags: '--data <folder>', summary: 'data folder (PENSTOCK_DATA, ./data)' } },
  PENSTOCK_HOST: {
    name: 'host',
    option: { flags: '--host <address>', summary: 'address to listen on (PENSTOCK_HOST, 127.0.0.1)' },
  },
  PENSTOCK_PORT: {
    name: 'port',
    option: { flags: '--port <number>', summary: 'port to listen on, 0 picks a free one (PENSTOCK_PORT, 8080)' },
  },
  PENSTOCK_HTTP_PROCESSES: {
    name: 'httpProcesses',
    option: {
      flags: '--http-processes <number>',
      summary: 'HTTP processes (PENSTOCK_HTTP_PROCESSES, cores - 1, at least 2)',
    },
  },
}

export const dataOption: Option = { flags: '--data <folder>', summary: 'data folder (PENSTOCK_DATA, ./data)' }

/** All options that stand for settings. */
export const allSettingOptions: readonly Option[] = Object.values(settingOptions).map(({ option }) => option)

/** The environment with the options of `call` over it. */
export function environmentOf(call: Call, { environment }: Context): NodeJS.ProcessEnv {
  const given = Object.entries(settingOptions).flatMap(([variable, { name }]) => {
    const value = call.text(name)
    return value === undefined ? [] : [[variable, value] as const]
  })
  return { ...environment, ...Object.fromEntries(given) }
}

/** Throws SettingsError. */
export function settingsOf(call: Call, context: Context): Settings {
  return readSettings(environmentOf(call, context), context.cores)
}

/** `http://127.0.0.1:8080` of these settings. */
export function baseUrl(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
