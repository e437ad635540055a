import { expect, it } from 'vitest'
import { listSettings, readSettings, SettingsError } from './settings.ts'
import { standardRetryDelaysMs } from './webhook.ts'
import type { Settings } from './settings.ts'

const cores = 4
const secretKey = 'sk_test_0123456789abcdef'
const webhookSecret = 'whsec_0123456789abcdefghij'
const publishableKey = 'pk_test_0123456789abcdef'

const standard: Settings = {
  dataFolder: './data',
  host: '127.0.0.1',
  port: 8_080,
  httpProcesses: 3,
  secretKey: null,
  publishableKey: null,
  transport: 'auto',
  payos: null,
  allowsUnsignedWebhooks: false,
  legacyApi: true,
  mode: 'test',
  stripeSecretKey: null,
  stripeWebhookSecrets: [],
  stripeApiBase: null,
  testWebhookSecret: null,
  webhookAllowPrivate: false,
  webhookTimeoutMs: 15_000,
  webhookRetryDelaysMs: standardRetryDelaysMs,
  autoRefund: true,
  providerRetryDelaysMs: [1_000, 5_000, 30_000, 120_000, 600_000],
  reconcileAgesMs: [120_000, 600_000, 3_600_000, 21_600_000, 86_400_000],
}

/** The message of the SettingsError that `environment` causes. */
function problems(environment: Record<string, string>): string {
  try {
    readSettings(environment, cores)
  } catch (error) {
    if (error instanceof SettingsError) return error.message
    throw error
  }
  throw new Error('readSettings accepted it')
}

it('readSettings gives the standard settings to an environment without any', () => {
  expect(readSettings({ PATH: '/bin', HOME: '/root' }, cores)).toEqual(standard)
})

it('readSettings takes an empty variable as absent', () => {
  const empty = Object.fromEntries(
    ['DATA', 'HOST', 'PORT', 'HTTP_PROCESSES', 'STORE', 'MODE', 'RATE_LIMIT', 'SECRET_KEY', 'TRANSPORT'].map((name) => [
      `PENSTOCK_${name}`,
      '',
    ]),
  )
  expect(readSettings(empty, cores)).toEqual(standard)
})

it.each([
  [1, 2],
  [2, 2],
  [3, 2],
  [4, 3],
  [64, 63],
  [65, 64],
  [256, 64],
])('readSettings on %i cores runs %i HTTP processes', (coreCount, httpProcesses) => {
  expect(readSettings({}, coreCount).httpProcesses).toBe(httpProcesses)
})

it.each<[string, string, Partial<Settings>]>([
  ['PENSTOCK_DATA', '/var/lib/penstock', { dataFolder: '/var/lib/penstock' }],
  ['PENSTOCK_HOST', '::', { host: '::' }],
  ['PENSTOCK_PORT', '0', { port: 0 }],
  ['PENSTOCK_PORT', '65535', { port: 65_535 }],
  ['PENSTOCK_HTTP_PROCESSES', '1', { httpProcesses: 1 }],
  ['PENSTOCK_HTTP_PROCESSES', '64', { httpProcesses: 64 }],
  ['PENSTOCK_STORE', 'sqlite', {}],
  ['PENSTOCK_MODE', 'test', {}],
  ['PENSTOCK_RATE_LIMIT', 'off', {}],
  ['PENSTOCK_SECRET_KEY', secretKey, { secretKey }],
  ['PENSTOCK_PUBLISHABLE_KEY', publishableKey, { publishableKey }],
  ['STRIPE_WEBHOOK_SECRET', webhookSecret, { stripeWebhookSecrets: [webhookSecret] }],
  ['STRIPE_WEBHOOK_SECRET', `${webhookSecret}, ${secretKey}`, { stripeWebhookSecrets: [webhookSecret, secretKey] }],
  ['STRIPE_API_BASE', 'http://127.0.0.1:12111', { stripeApiBase: 'http://127.0.0.1:12111' }],
  ['PENSTOCK_TEST_WEBHOOK_SECRET', webhookSecret, { testWebhookSecret: webhookSecret }],
  ['PENSTOCK_TRANSPORT', 'uws', { transport: 'uws' }],
  ['PENSTOCK_TRANSPORT', 'node', { transport: 'node' }],
  ['PENSTOCK_TRANSPORT', 'auto', { transport: 'auto' }],
  ['PENSTOCK_LEGACY_API', 'on', {}],
  ['PENSTOCK_LEGACY_API', 'off', { legacyApi: false }],
  ['PENSTOCK_WEBHOOK_ALLOW_PRIVATE', '1', { webhookAllowPrivate: true }],
  ['PENSTOCK_WEBHOOK_ALLOW_PRIVATE', '0', {}],
  ['PENSTOCK_WEBHOOK_TIMEOUT', '0.25', { webhookTimeoutMs: 250 }],
  ['PENSTOCK_WEBHOOK_TIMEOUT', '60', { webhookTimeoutMs: 60_000 }],
  ['PENSTOCK_WEBHOOK_RETRY_DELAYS', '0.001,5,604800', { webhookRetryDelaysMs: [1, 5_000, 604_800_000] }],
  ['PENSTOCK_AUTO_REFUND', '0', { autoRefund: false }],
  ['PENSTOCK_PROVIDER_RETRY_DELAYS', '0.05,5,5', { providerRetryDelaysMs: [50, 5_000, 5_000] }],
  ['PENSTOCK_RECONCILE_AGES', '0.05,5', { reconcileAgesMs: [50, 5_000] }],
])('readSettings accepts %s=%s', (name, value, change) => {
  expect(readSettings({ [name]: value }, cores)).toEqual({ ...standard, ...change })
})

it.each([
  ['PENSTOCK_DATA', '   '],
  ['PENSTOCK_HOST', ' '],
  ['PENSTOCK_PORT', '65536'],
  ['PENSTOCK_PORT', '-1'],
  ['PENSTOCK_PORT', '80a'],
  ['PENSTOCK_PORT', '8080.5'],
  ['PENSTOCK_PORT', '1e3'],
  ['PENSTOCK_PORT', '0x50'],
  ['PENSTOCK_PORT', ' 80'],
  ['PENSTOCK_HTTP_PROCESSES', '0'],
  ['PENSTOCK_HTTP_PROCESSES', '65'],
  ['PENSTOCK_HTTP_PROCESSES', 'two'],
  ['PENSTOCK_STORE', 'postgres://localhost'],
  ['PENSTOCK_MODE', 'prod'],
  ['PENSTOCK_SECRET_KEY', 'sk_live_0123456789abcdef'],
  ['STRIPE_SECRET_KEY', 'pk_test_0123456789abcdef'],
  ['STRIPE_WEBHOOK_SECRET', 'short'],
  ['STRIPE_WEBHOOK_SECRET', `${webhookSecret},`],
  ['STRIPE_WEBHOOK_SECRET', Array(5).fill(webhookSecret).join(',')],
  ['STRIPE_API_BASE', 'localhost:12111'],
  ['STRIPE_API_BASE', 'http://user:pass@localhost'],
  ['PENSTOCK_RATE_LIMIT', 'on'],
  ['PENSTOCK_TRANSPORT', 'UWS'],
  ['PENSTOCK_LEGACY_API', '0'],
  ['PENSTOCK_WEBHOOK_ALLOW_PRIVATE', 'yes'],
  ['PENSTOCK_WEBHOOK_TIMEOUT', '0'],
  ['PENSTOCK_WEBHOOK_TIMEOUT', '60.001'],
  ['PENSTOCK_WEBHOOK_TIMEOUT', '1e1'],
  ['PENSTOCK_WEBHOOK_RETRY_DELAYS', '5,,5'],
  ['PENSTOCK_WEBHOOK_RETRY_DELAYS', '0'],
  ['PENSTOCK_WEBHOOK_RETRY_DELAYS', '604801'],
  ['PENSTOCK_AUTO_REFUND', 'no'],
  ['PENSTOCK_PROVIDER_RETRY_DELAYS', '1,x'],
  ['PENSTOCK_RECONCILE_AGES', '1,1'],
  ['PENSTOCK_RECONCILE_AGES', '2,1'],
  ['PENSTOCK_RECONCILE_AGES', '0'],
  ['PENSTOCK_WEBHOOK_RETRY_DELAYS', Array(21).fill('1').join(',')],
  ['PENSTOCK_SECRET_KEY', publishableKey],
  ['PENSTOCK_SECRET_KEY', secretKey.slice(0, -1)],
  ['PENSTOCK_SECRET_KEY', `${secretKey} `],
  ['PENSTOCK_SECRET_KEY', secretKey.padEnd(256, 'x')],
  ['PENSTOCK_PUBLISHABLE_KEY', secretKey],
  ['PENSTOCK_PUBLISHABLE_KEY', `${publishableKey}é`],
])('readSettings names %s when it is "%s"', (name, value) => {
  expect(problems({ [name]: value })).toMatch(new RegExp(`^${name} (?:is|has) .+\\.$`))
})

const payos = { PAYOS_CLIENT_ID: 'client', PAYOS_API_KEY: 'api', PAYOS_CHECKSUM_KEY: 'checksum' }

const live = {
  PENSTOCK_MODE: 'live',
  PENSTOCK_SECRET_KEY: 'sk_live_0123456789abcdef',
  PENSTOCK_PUBLISHABLE_KEY: 'pk_live_0123456789abcdef',
  STRIPE_SECRET_KEY: 'rk_live_0123456789abcdef',
  STRIPE_WEBHOOK_SECRET: webhookSecret,
}

it('readSettings accepts live mode with a provider and keys of the seller', () => {
  expect(readSettings(live, cores)).toMatchObject({ mode: 'live', secretKey: live.PENSTOCK_SECRET_KEY })
})

it.each<[string, Record<string, string>]>([
  ['STRIPE_SECRET_KEY', { STRIPE_SECRET_KEY: '' }],
  ['STRIPE_WEBHOOK_SECRET', { STRIPE_WEBHOOK_SECRET: '' }],
  ['PENSTOCK_SECRET_KEY', { PENSTOCK_SECRET_KEY: '' }],
  ['PENSTOCK_PUBLISHABLE_KEY', { PENSTOCK_PUBLISHABLE_KEY: '' }],
  ['PENSTOCK_SECRET_KEY', { PENSTOCK_SECRET_KEY: secretKey }],
  ['STRIPE_SECRET_KEY', { STRIPE_SECRET_KEY: 'sk_test_0123456789abcdef' }],
  ['STRIPE_API_BASE', { STRIPE_API_BASE: 'http://localhost:12111' }],
  ['PENSTOCK_TEST_WEBHOOK_SECRET', { PENSTOCK_TEST_WEBHOOK_SECRET: webhookSecret }],
])('readSettings refuses live mode for %s: %j', (name, change) => {
  expect(problems({ ...live, ...change })).toMatch(new RegExp(`^${name} `))
})

it('readSettings accepts live mode with payOS alone', () => {
  const own = { ...live, ...payos, STRIPE_SECRET_KEY: '', STRIPE_WEBHOOK_SECRET: '' }
  expect(readSettings(own, cores)).toMatchObject({ mode: 'live', payos: { clientId: 'client' } })
  expect(problems({ ...own, PAYOS_BASE_URL: 'http://127.0.0.1:9' })).toMatch(/^PAYOS_BASE_URL /)
  expect(problems({ ...own, PAYOS_CHECKSUM_KEY: '' })).toMatch(/^PAYOS_CHECKSUM_KEY is missing/)
})

it('S8: readSettings refuses live mode that would believe webhooks without a signature', () => {
  const message = problems({ ...live, PENSTOCK_ALLOW_UNSIGNED_TEST_WEBHOOKS: '1' })
  expect(message).toMatch(/^PENSTOCK_ALLOW_UNSIGNED_TEST_WEBHOOKS is 1, and PENSTOCK_MODE=live/)
})

it('readSettings refuses keys of live mode in test mode', () => {
  const names = problems({ ...live, PENSTOCK_MODE: 'test' })
    .split('\n')
    .map((line) => line.split(' ')[0])
  expect(names).toEqual(['PENSTOCK_SECRET_KEY', 'PENSTOCK_PUBLISHABLE_KEY', 'STRIPE_SECRET_KEY'])
})

it('readSettings refuses a key of Stripe without a webhook secret', () => {
  expect(problems({ STRIPE_SECRET_KEY: 'sk_test_0123456789abcdef' })).toMatch(/^STRIPE_WEBHOOK_SECRET is not set/)
})

it.each([
  ['PENSTOCK_SECRET_KEY', 'sk_test_short'],
  ['PENSTOCK_SECRET_KEY', 'sk_live_0123456789abcdef'],
  ['PENSTOCK_PUBLISHABLE_KEY', 'hunter2-hunter2-hunter2-hunter2'],
])('readSettings never repeats a key: %s', (name, value) => {
  const message = problems({ [name]: value, PENSTOCK_PORT: 'x', PENSTOCK_EXTRA: value })
  expect(message).toContain(name)
  expect(message).not.toContain(value)
  expect(message).not.toContain(value.slice(8))
})

it('readSettings takes payOS with all of its keys', () => {
  const keys = { clientId: 'client', apiKey: 'api', checksumKey: 'checksum', baseUrl: 'https://api-merchant.payos.vn' }
  expect(readSettings(payos, cores).payos).toEqual({ ...keys, returnUrl: 'https://payos.vn' })
  const returnUrl = 'https://shop.example/paid?ref=1'
  expect(readSettings({ ...payos, PAYOS_RETURN_URL: returnUrl }, cores).payos).toEqual({ ...keys, returnUrl })
})

it.each(Object.keys(payos))('S8: readSettings names %s when payOS has the other keys only', (name) => {
  expect(problems({ ...payos, [name]: '' })).toMatch(new RegExp(`^${name} is missing: .+\\.$`))
})

it.each([
  ['PAYOS_CHECKSUM_KEY', 'two words', 'is malformed'],
  ['PAYOS_API_KEY', 'é', 'is malformed'],
  ['PAYOS_RETURN_URL', 'javascript:alert(1)', 'is "'],
  ['PENSTOCK_ALLOW_UNSIGNED_TEST_WEBHOOKS', 'yes', 'is "yes"'],
])('readSettings names %s when it is "%s"', (name, value, text) => {
  const message = problems({ ...payos, [name]: value })
  expect(message).toContain(`${name} ${text}`)
  if (name.endsWith('KEY')) expect(message).not.toContain(value)
})

it('readSettings lets unsigned webhooks in only when it is told to', () => {
  expect(readSettings({ PENSTOCK_ALLOW_UNSIGNED_TEST_WEBHOOKS: '1' }, cores).allowsUnsignedWebhooks).toBe(true)
  expect(readSettings({ PENSTOCK_ALLOW_UNSIGNED_TEST_WEBHOOKS: '0' }, cores).allowsUnsignedWebhooks).toBe(false)
})

it('readSettings names an unknown PENSTOCK_ variable and lists the known ones', () => {
  const message = problems({ PENSTOCK_PROT: '80', penstock_port: 'ignored', OTHER: 'ignored' })
  expect(message).toMatch(/^PENSTOCK_PROT is not a setting\./)
  expect(message).toContain('PENSTOCK_PORT')
  expect(message).not.toContain('penstock_port')
  expect(message).not.toContain('OTHER')
})

it('readSettings reports everything that is wrong at once, a line each', () => {
  const message = problems({ PENSTOCK_PORT: 'x', PENSTOCK_MODE: 'prod', PENSTOCK_X: '', PENSTOCK_HOST: ' ' })
  const names = message.split('\n').map((line) => line.split(' ')[0])
  expect(names).toHaveLength(4)
  expect(new Set(names)).toEqual(new Set(['PENSTOCK_HOST', 'PENSTOCK_MODE', 'PENSTOCK_PORT', 'PENSTOCK_X']))
})

it('listSettings says what is in effect and where it comes from; an empty variable is not set', () => {
  const lines = listSettings({ PENSTOCK_PORT: '81', PENSTOCK_HOST: '', PATH: '/bin' }, cores)
  expect(lines).toContainEqual({ name: 'PENSTOCK_PORT', value: '81', source: 'environment' })
  expect(lines).toContainEqual({ name: 'PENSTOCK_HOST', value: '127.0.0.1', source: 'default' })
  expect(lines).toContainEqual({ name: 'PENSTOCK_SECRET_KEY', value: null, source: 'default' })
  expect(lines.map(({ name }) => name)).not.toContain('PATH')
})

it('listSettings refuses what readSettings refuses', () => {
  expect(() => listSettings({ PENSTOCK_PORT: 'x' }, cores)).toThrow(SettingsError)
})
