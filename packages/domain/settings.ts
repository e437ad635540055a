import {
  httpProcessesMax,
  secretLengthMax,
  secretLengthMin,
  webhookRetriesMax,
  webhookRetryDelayMaxMs,
  webhookTimeoutMaxMs,
  webhookSecretsMax,
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
  /** live: real money, by a real provider and with keys that the seller chose. test: the test provider is there, too. */
  readonly mode: 'test' | 'live'
  /** For calls to Stripe; null: none are made. */
  readonly stripeSecretKey: string | null
  /** Any of them may have signed a webhook of Stripe. Empty: Stripe is not used. */
  readonly stripeWebhookSecrets: readonly string[]
  /** Where Stripe's API is, in test mode; null: where it always is. */
  readonly stripeApiBase: string | null
  /** What the test provider signs with; null: made from the box's own keys. */
  readonly testWebhookSecret: string | null
  /** Null: payments by payOS are not offered. */
  readonly payos: PayosSettings | null
  /** The old system's webhook is believed without a signature. Never true in live mode. */
  readonly allowsUnsignedWebhooks: boolean
  /** Whether the old system's routes are there, where anybody without a key may take stock for the time of a hold. */
  readonly legacyApi: boolean
  /** Whether webhooks may go to addresses inside this network. */
  readonly webhookAllowPrivate: boolean
  readonly webhookTimeoutMs: number
  /** Waits before the second attempt, the third and so on. */
  readonly webhookRetryDelaysMs: readonly number[]
  /** Whether money that came without goods goes back by itself, where its provider can do that. */
  readonly autoRefund: boolean
  /** Waits of the courier after a call to a provider failed that may succeed later; the last one from then on. */
  readonly providerRetryDelaysMs: readonly number[]
  /**
   * How old a checkout or a refund is when its provider is asked what became of it; ascending. The last is also the time
   * between later questions.
   */
  readonly reconcileAgesMs: readonly number[]
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

const second = 1_000
const minute = 60 * second
const hour = 60 * minute
const standardProviderRetryDelaysMs = [second, 5 * second, 30 * second, 2 * minute, 10 * minute]
/** Webhooks are there within seconds; a buyer takes minutes; a bank takes days. */
const standardReconcileAgesMs = [2 * minute, 10 * minute, hour, 6 * hour, 24 * hour]

const payosUrl = 'https://api-merchant.payos.vn'

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
    mode: { name: 'PENSTOCK_MODE', parse: oneOf(['test', 'live']), standard: 'test' },
    // There is no limiter in this release to turn on.
    rateLimit: { name: 'PENSTOCK_RATE_LIMIT', parse: oneOf(['off']), standard: 'off' },
    secretKey: { name: 'PENSTOCK_SECRET_KEY', parse: apiKey('sk'), standard: null },
    publishableKey: { name: 'PENSTOCK_PUBLISHABLE_KEY', parse: apiKey('pk'), standard: null },
    transport: { name: 'PENSTOCK_TRANSPORT', parse: oneOf(['auto', 'uws', 'node']), standard: 'auto' },
    stripeSecretKey: { name: 'STRIPE_SECRET_KEY', parse: stripeKey, standard: null },
    stripeWebhookSecrets: { name: 'STRIPE_WEBHOOK_SECRET', parse: webhookSecrets, standard: null },
    stripeApiBase: { name: 'STRIPE_API_BASE', parse: origin, standard: null },
    testWebhookSecret: { name: 'PENSTOCK_TEST_WEBHOOK_SECRET', parse: webhookSecret, standard: null },
    legacyApi: { name: 'PENSTOCK_LEGACY_API', parse: oneOf(['on', 'off']), standard: 'on' },
    unsignedWebhooks: { name: 'PENSTOCK_ALLOW_UNSIGNED_TEST_WEBHOOKS', parse: oneOf(['0', '1']), standard: '0' },
    payosClientId: { name: 'PAYOS_CLIENT_ID', parse: providerSecret, standard: null },
    payosApiKey: { name: 'PAYOS_API_KEY', parse: providerSecret, standard: null },
    payosChecksumKey: { name: 'PAYOS_CHECKSUM_KEY', parse: providerSecret, standard: null },
    payosBaseUrl: { name: 'PAYOS_BASE_URL', parse: webUrl, standard: payosUrl },
    payosReturnUrl: { name: 'PAYOS_RETURN_URL', parse: webUrl, standard: 'https://payos.vn' },
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
    autoRefund: { name: 'PENSTOCK_AUTO_REFUND', parse: flag, standard: true, shown: '1' },
    providerRetryDelaysMs: {
      name: 'PENSTOCK_PROVIDER_RETRY_DELAYS',
      parse: retryDelays,
      standard: standardProviderRetryDelaysMs,
      shown: standardProviderRetryDelaysMs.map((delayMs) => delayMs / 1_000).join(','),
    },
    reconcileAgesMs: {
      name: 'PENSTOCK_RECONCILE_AGES',
      parse: ascendingAges,
      standard: standardReconcileAgesMs,
      shown: standardReconcileAgesMs.map((ageMs) => ageMs / 1_000).join(','),
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
    stripeSecretKey: read(known.stripeSecretKey),
    stripeWebhookSecrets: read(known.stripeWebhookSecrets) ?? [],
    stripeApiBase: read(known.stripeApiBase),
    testWebhookSecret: read(known.testWebhookSecret),
    payos: payosSettings(
      {
        clientId: read(known.payosClientId),
        apiKey: read(known.payosApiKey),
        checksumKey: read(known.payosChecksumKey),
      },
      { returnUrl: read(known.payosReturnUrl), baseUrl: read(known.payosBaseUrl) },
      problems,
    ),
    legacyApi: read(known.legacyApi) === 'on',
    allowsUnsignedWebhooks: read(known.unsignedWebhooks) === '1',
    webhookAllowPrivate: read(known.webhookAllowPrivate),
    webhookTimeoutMs: read(known.webhookTimeoutMs),
    webhookRetryDelaysMs: read(known.webhookRetryDelaysMs),
    autoRefund: read(known.autoRefund),
    providerRetryDelaysMs: read(known.providerRetryDelaysMs),
    reconcileAgesMs: read(known.reconcileAgesMs),
  }
  // What is wrong by itself need not be told to be missing, too.
  if (problems.length === 0) problems.push(...contradictions(settings))
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

/** What is wrong only together with something else: lines of SettingsError. */
function contradictions(settings: Settings): string[] {
  const { mode, stripeSecretKey, stripeWebhookSecrets } = settings
  const problems: string[] = []
  if (stripeSecretKey !== null && stripeWebhookSecrets.length === 0) {
    problems.push('STRIPE_WEBHOOK_SECRET is not set, and STRIPE_SECRET_KEY is: nobody would hear of its payments.')
  }
  const isOther = (key: string | null): boolean => key !== null && !key.slice(2).startsWith(`_${mode}_`)
  const keys = [
    ['PENSTOCK_SECRET_KEY', settings.secretKey],
    ['PENSTOCK_PUBLISHABLE_KEY', settings.publishableKey],
    ['STRIPE_SECRET_KEY', stripeSecretKey],
  ] as const
  for (const [name, key] of keys) {
    if (isOther(key))
      problems.push(`${name} is a key for another mode, expected _${mode}_ in it as PENSTOCK_MODE is ${mode}.`)
  }
  if (mode === 'test') return problems
  if (settings.allowsUnsignedWebhooks) {
    problems.push(
      'PENSTOCK_ALLOW_UNSIGNED_TEST_WEBHOOKS is 1, and PENSTOCK_MODE=live believes no webhook without a signature.',
    )
  }
  for (const [name, key] of keys)
    // One provider is enough.
    if (key === null && (name !== 'STRIPE_SECRET_KEY' || settings.payos === null))
      problems.push(
        `${name} is not set, and PENSTOCK_MODE=live needs it${name === 'STRIPE_SECRET_KEY' ? ', with STRIPE_WEBHOOK_SECRET, unless payOS is set' : ''}.`,
      )
  for (const [name, value] of [
    ['STRIPE_API_BASE', settings.stripeApiBase],
    ['PENSTOCK_TEST_WEBHOOK_SECRET', settings.testWebhookSecret],
    ['PAYOS_BASE_URL', settings.payos?.baseUrl === payosUrl ? null : (settings.payos?.baseUrl ?? null)],
  ] as const) {
    if (value !== null) problems.push(`${name} is set, and PENSTOCK_MODE=live has no use for it.`)
  }
  return problems
}

/** A secret or a restricted key. The message never repeats it. */
function stripeKey(text: string): string {
  if (text.length <= secretLengthMax && /^[sr]k_(?:test|live)_[!-~]{8,}$/.test(text)) return text
  throw new BadValue(
    'is not a key of Stripe: expected sk_test_, sk_live_, rk_test_ or rk_live_ and visible ASCII characters.',
  )
}

/** The message never repeats a secret. */
function webhookSecret(text: string): string {
  if (text.length >= secretLengthMin && text.length <= secretLengthMax && /^[!-+\--~]+$/.test(text)) return text
  throw new BadValue(
    `is not a secret: expected ${secretLengthMin} to ${secretLengthMax} visible ASCII characters without a comma.`,
  )
}

function webhookSecrets(text: string): readonly string[] {
  const secrets = text.split(',').map((part) => webhookSecret(part.trim()))
  if (secrets.length <= webhookSecretsMax) return secrets
  throw new BadValue(`has ${secrets.length} secrets, expected ${webhookSecretsMax} at most.`)
}

function origin(text: string): string {
  if (/^https?:\/\/[^/?#@]+$/.test(text) && URL.canParse(text)) return text
  throw new BadValue(`is "${text}", expected the start of a URL: http://host:port.`)
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

function ascendingAges(text: string): readonly number[] {
  const ages = retryDelays(text)
  if (ages.some((ageMs, index) => index > 0 && ageMs <= (ages[index - 1] ?? 0))) {
    throw new BadValue(`is "${text}", expected ages in seconds, each greater than the one before.`)
  }
  return ages
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
  const pattern = new RegExp(`^${prefix}_(?:test|live)_[!-~]+$`)
  return (text) => {
    if (text.length < secretLengthMin || text.length > secretLengthMax || !pattern.test(text)) {
      throw new BadValue(
        `is not a key: expected ${prefix}_test_ (or ${prefix}_live_ in live mode) and visible ASCII characters, ${secretLengthMin} to ${secretLengthMax} in all.`,
      )
    }
    return text
  }
}
