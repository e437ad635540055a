import { httpProcessesMax, secretLengthMax, secretLengthMin } from './limits.ts'

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
  /** Null: payments by payOS are not offered. */
  readonly payos: PayosSettings | null
  /** The old system's webhook is believed without a signature. Never true in live mode. */
  readonly allowsUnsignedWebhooks: boolean
}

export interface PayosSettings {
  readonly clientId: string
  readonly apiKey: string
  readonly checksumKey: string
  /** Where buyers go from payOS when the shop names no other place. */
  readonly returnUrl: string
  /** Of the merchant API. */
  readonly baseUrl: string
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
    unsignedWebhooks: { name: 'PENSTOCK_ALLOW_UNSIGNED_TEST_WEBHOOKS', parse: oneOf(['0', '1']), standard: '0' },
    payosClientId: { name: 'PAYOS_CLIENT_ID', parse: providerSecret, standard: null },
    payosApiKey: { name: 'PAYOS_API_KEY', parse: providerSecret, standard: null },
    payosChecksumKey: { name: 'PAYOS_CHECKSUM_KEY', parse: providerSecret, standard: null },
    payosBaseUrl: { name: 'PAYOS_BASE_URL', parse: webUrl, standard: 'https://api-merchant.payos.vn' },
    payosReturnUrl: { name: 'PAYOS_RETURN_URL', parse: webUrl, standard: 'https://payos.vn' },
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
  const mode: string = read(known.mode)
  const settings: Settings = {
    dataFolder: read(known.dataFolder),
    host: read(known.host),
    port: read(known.port),
    httpProcesses: read(known.httpProcesses),
    secretKey: read(known.secretKey),
    publishableKey: read(known.publishableKey),
    transport: read(known.transport),
    payos: payosSettings(
      {
        clientId: read(known.payosClientId),
        apiKey: read(known.payosApiKey),
        checksumKey: read(known.payosChecksumKey),
      },
      { returnUrl: read(known.payosReturnUrl), baseUrl: read(known.payosBaseUrl) },
      problems,
    ),
    allowsUnsignedWebhooks: read(known.unsignedWebhooks) === '1',
  }
  if (settings.allowsUnsignedWebhooks && mode !== 'test') {
    problems.push(`${known.unsignedWebhooks.name} is 1, expected 0: in the mode ${mode} webhooks are signed.`)
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
  return Object.values(variables(cores)).map(({ name, standard }) => {
    const text = environment[name]
    const isGiven = text !== undefined && text !== ''
    return { name, value: isGiven ? text : standard, source: isGiven ? 'environment' : 'default' }
  })
}

type PayosKeys = Pick<PayosSettings, 'clientId' | 'apiKey' | 'checksumKey'>

/** All of its keys or none: without the checksum key anybody could say that they have paid. */
function payosSettings(
  keys: { readonly [Name in keyof PayosKeys]: string | null },
  urls: Pick<PayosSettings, 'returnUrl' | 'baseUrl'>,
  problems: string[],
): PayosSettings | null {
  const { clientId, apiKey: ownKey, checksumKey } = keys
  if (clientId !== null && ownKey !== null && checksumKey !== null) {
    return { clientId, apiKey: ownKey, checksumKey, ...urls }
  }
  const given = { PAYOS_CLIENT_ID: clientId, PAYOS_API_KEY: ownKey, PAYOS_CHECKSUM_KEY: checksumKey }
  const missing = Object.entries(given).flatMap(([name, value]) => (value === null ? [name] : []))
  // One that is malformed was named already.
  if (missing.length === 3 || problems.some((line) => line.startsWith('PAYOS_'))) return null
  for (const name of missing) problems.push(`${name} is missing: payOS needs ${Object.keys(given).join(', ')}.`)
  return null
}

function testMode(text: string): 'test' {
  if (text !== 'test') throw new BadValue(`is "${text}", expected test: live mode comes with the payment providers.`)
  return text
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

/** The message never repeats a secret. */
function providerSecret(text: string): string {
  if (!/^[!-~]{1,255}$/.test(text)) throw new BadValue('is malformed: expected 1 to 255 visible ASCII characters.')
  return text
}

function webUrl(text: string): string {
  if (!/^https?:\/\/[!-~]+$/.test(text) || !URL.canParse(text)) {
    throw new BadValue(`is "${text}", expected a URL that starts with http:// or https://.`)
  }
  return text
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
