import {
  httpProcessesMax,
  secretLengthMax,
  secretLengthMin,
  webhookRetriesMax,
  webhookRetryDelayMaxMs,
  webhookTimeoutMaxMs,
  webhookTimeoutMs,
} from './limits.ts'
import { standardRetryDelaysMs } from './webhook.ts'

/**
 * The settings of a box, read from environment variables. One list for every process, so that each names the same
 * variable in the same way when it is wrong.
 */
export interface Settings {
  /** Database, socket, keys. */
  readonly dataFolder: string
  readonly host: string
  readonly port: number
  readonly httpProcesses: number
  /** Bootstrap keys; null: generated once and kept in `bootstrap-keys.json`. */
  readonly secretKey: string | null
  readonly publishableKey: string | null
  /** Which HTTP library: uWebSockets.js where it loads, else node:http; or one of them by name. */
  readonly transport: 'auto' | 'uws' | 'node'
  readonly mode: 'test' | 'live'
  /** Whether webhooks may go to addresses inside this network. */
  readonly webhookAllowPrivate: boolean
  readonly webhookTimeoutMs: number
  /** Waits before the second attempt, the third and so on. */
  readonly webhookRetryDelaysMs: readonly number[]
}

/** One or more variables are wrong. The message has one line for each, with the variable's name. */
export class SettingsError extends Error {
  readonly code = 'bad_settings'
  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.name = 'SettingsError'
  }
}

type Environment = Readonly<Record<string, string | undefined>>

/** What a parser throws: `expected` completes the sentence "NAME is X, expected …". */
class BadValue extends Error {}

function variables(cores: number) {
  return {
    dataFolder: { name: 'PENSTOCK_DATA', parse: filledText, standard: './data' },
    host: { name: 'PENSTOCK_HOST', parse: filledText, standard: '127.0.0.1' },
    port: { name: 'PENSTOCK_PORT', parse: wholeNumber(0, 65_535), standard: 8_080 },
    httpProcesses: {
      name: 'PENSTOCK_HTTP_PROCESSES',
      parse: wholeNumber(1, httpProcessesMax),
      // Two at least, so that one can be replaced while the other serves.
      standard: Math.min(httpProcessesMax, Math.max(2, cores - 1)),
    },
    store: { name: 'PENSTOCK_STORE', parse: oneOf(['sqlite']), standard: 'sqlite' },
    // Live mode needs the secrets of a payment provider, and this release has no provider yet.
    mode: { name: 'PENSTOCK_MODE', parse: testMode, standard: 'test' },
    // There is no limiter in this release to turn on.
    rateLimit: { name: 'PENSTOCK_RATE_LIMIT', parse: oneOf(['off']), standard: 'off' },
    secretKey: { name: 'PENSTOCK_SECRET_KEY', parse: apiKey('sk'), standard: null },
    publishableKey: { name: 'PENSTOCK_PUBLISHABLE_KEY', parse: apiKey('pk'), standard: null },
    transport: { name: 'PENSTOCK_TRANSPORT', parse: oneOf(['auto', 'uws', 'node']), standard: 'auto' },
    webhookAllowPrivate: { name: 'PENSTOCK_WEBHOOK_ALLOW_PRIVATE', parse: flag, standard: false, shown: '0' },
    webhookTimeoutMs: {
      name: 'PENSTOCK_WEBHOOK_TIMEOUT',
      parse: seconds(webhookTimeoutMaxMs),
      standard: webhookTimeoutMs,
      shown: String(webhookTimeoutMs / 1_000),
    },
    webhookRetryDelaysMs: {
      name: 'PENSTOCK_WEBHOOK_RETRY_DELAYS',
      parse: retryDelays,
      standard: standardRetryDelaysMs,
      shown: standardRetryDelaysMs.map((delayMs) => delayMs / 1_000).join(','),
    },
  } as const
}

/** Throws SettingsError, naming every variable that is malformed or that starts with PENSTOCK_ and is not known. */
export function readSettings(environment: Environment, cores: number): Settings {
  const known = variables(cores)
  const names = new Set<string>(Object.values(known).map((variable) => variable.name))
  const problems = Object.keys(environment)
    .filter((name) => name.startsWith('PENSTOCK_') && !names.has(name))
    .map((name) => `${name} is not a setting. The settings are: ${[...names].join(', ')}.`)

  const read = <Value, Standard>(variable: {
    name: string
    parse: (text: string) => Value
    standard: Standard
  }): Value | Standard => {
    const text = environment[variable.name]
    if (text === undefined || text === '') return variable.standard
    try {
      return variable.parse(text)
    } catch (error) {
      if (!(error instanceof BadValue)) throw error
      problems.push(`${variable.name} ${error.message}`)
      return variable.standard
    }
  }

  for (const variable of [known.store, known.rateLimit]) read(variable)
  const settings: Settings = {
    dataFolder: read(known.dataFolder),
    host: read(known.host),
    port: read(known.port),
    httpProcesses: read(known.httpProcesses),
    secretKey: read(known.secretKey),
    publishableKey: read(known.publishableKey),
    transport: read(known.transport),
    mode: read(known.mode),
    webhookAllowPrivate: read(known.webhookAllowPrivate),
    webhookTimeoutMs: read(known.webhookTimeoutMs),
    webhookRetryDelaysMs: read(known.webhookRetryDelaysMs),
  }
  if (problems.length > 0) throw new SettingsError(problems)
  return settings
}

/** One setting as it takes effect. */
export interface SettingLine {
  readonly name: string
  /** Null: not set, and there is no default. */
  readonly value: string | number | null
  readonly source: 'environment' | 'default'
}

/** Every setting, in the order of docs/settings.md. Throws SettingsError. Secrets are in clear text: mask them. */
export function listSettings(environment: Environment, cores: number): readonly SettingLine[] {
  readSettings(environment, cores)
  return Object.values(variables(cores)).map((variable) => {
    const text = environment[variable.name]
    const isGiven = text !== undefined && text !== ''
    const standard = 'shown' in variable ? variable.shown : variable.standard
    return { name: variable.name, value: isGiven ? text : standard, source: isGiven ? 'environment' : 'default' }
  })
}

function testMode(text: string): 'test' {
  if (text !== 'test') throw new BadValue(`is "${text}", expected test: live mode comes with the payment providers.`)
  return text
}

function flag(text: string): boolean {
  if (text !== '0' && text !== '1') throw new BadValue(`is "${text}", expected 0 or 1.`)
  return text === '1'
}

/** A time in seconds, with up to three decimals, in ms. */
function seconds(maxMs: number): (text: string) => number {
  return (text) => {
    const ms = secondsToMs(text)
    if (ms === null || ms > maxMs) {
      throw new BadValue(`is "${text}", expected seconds from 0.001 to ${maxMs / 1_000}.`)
    }
    return ms
  }
}

function secondsToMs(text: string): number | null {
  const ms = Math.round(Number(text) * 1_000)
  return /^\d{1,9}(\.\d{1,3})?$/.test(text) && ms > 0 ? ms : null
}

function retryDelays(text: string): readonly number[] {
  const delays = text.split(',').map(secondsToMs)
  if (delays.length > webhookRetriesMax || !delays.every((ms) => ms !== null && ms <= webhookRetryDelayMaxMs)) {
    throw new BadValue(
      `is "${text}", expected 1 to ${webhookRetriesMax} waits in seconds, each up to ${webhookRetryDelayMaxMs / 1_000}, separated by commas.`,
    )
  }
  return delays.filter((ms) => ms !== null)
}

function filledText(text: string): string {
  if (text.trim() === '') throw new BadValue('is blank, expected a text.')
  return text
}

function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!/^\d{1,9}$/.test(text) || value < min || value > max) {
      throw new BadValue(`is "${text}", expected a whole number from ${min} to ${max}.`)
    }
    return value
  }
}

function oneOf<const Choice extends string>(choices: readonly Choice[]): (text: string) => Choice {
  return (text) => {
    const choice = choices.find((candidate) => candidate === text)
    if (choice === undefined) throw new BadValue(`is "${text}", expected ${choices.join(' or ')}.`)
    return choice
  }
}

/** The message never repeats a key. */
function apiKey(prefix: 'sk' | 'pk'): (text: string) => string {
  const pattern = new RegExp(`^${prefix}_test_[!-~]+$`)
  return (text) => {
    if (text.length < secretLengthMin || text.length > secretLengthMax || !pattern.test(text)) {
      throw new BadValue(
        `is not a key: expected ${prefix}_test_ and visible ASCII characters, ${secretLengthMin} to ${secretLengthMax} in all.`,
      )
    }
    return text
  }
}
