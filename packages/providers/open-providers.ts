import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { StripeProvider } from './stripe.ts'
import { TestProvider } from './test-provider.ts'
import type { Settings } from '@penstock/domain/settings.ts'
import type { AttemptDeps } from './attempt.ts'
import type { PaymentProvider } from './provider.ts'

/** The providers of a box by name; one that is not configured is absent. */
export interface Providers {
  readonly stripe?: PaymentProvider
  readonly payos?: PaymentProvider
  readonly test?: TestProvider
}

export interface ProviderDeps extends AttemptDeps {
  /** Where this box is reached from its own machine. */
  readonly baseUrl: () => string
}

/** Call it when the writer is up: the test provider's secret follows from the keys that the writer keeps. */
export function openProviders(settings: Settings, { clock, random, baseUrl }: ProviderDeps): Providers {
  const { stripeSecretKey: secretKey, stripeWebhookSecrets: webhookSecrets, stripeApiBase: apiBase } = settings
  const stripe = new StripeProvider({ secretKey, webhookSecrets, apiBase, clock, random })
  return {
    ...(webhookSecrets.length === 0 ? {} : { stripe }),
    ...(settings.mode === 'live' ? {} : { test: openTestProvider(settings, baseUrl) }),
  }
}

function openTestProvider({ dataFolder, testWebhookSecret }: Settings, baseUrl: () => string): TestProvider {
  return new TestProvider({
    secret: testWebhookSecret ?? hash('sha256', `test provider\n${readBootstrapKey(dataFolder)}`),
    bookPath: join(dataFolder, 'test-provider.ndjson'),
    baseUrl,
  })
}

function readBootstrapKey(dataFolder: string): string {
  const keys = JSON.parse(readFileSync(join(dataFolder, 'bootstrap-keys.json'), 'utf8')) as { secret_key: string }
  return keys.secret_key
}
