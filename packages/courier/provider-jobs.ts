import { ProviderRefunds } from './provider-refunds.ts'
import { Reconciler } from './reconcile.ts'
import { RefundsDue } from './refunds-due.ts'
import type { Settings } from '@penstock/domain/settings.ts'
import type { PaymentProvider } from '@penstock/providers/provider.ts'
import type { Providers } from '@penstock/providers/open-providers.ts'
import type { ProviderRefundsDeps } from './provider-refunds.ts'
import type { ReconcileDeps } from './reconcile.ts'
import type { RefundsDueDeps } from './refunds-due.ts'

type Deps = Omit<
  ProviderRefundsDeps & ReconcileDeps & RefundsDueDeps,
  'retryDelaysMs' | 'reconcileAgesMs' | 'canRefund'
>

interface Job {
  tick(): void
  stop(): Promise<void>
}

/** What is asked of the providers of a box: for each its refunds and its checkouts, and the making of refunds that are due. */
export function openProviderJobs(
  providers: Providers,
  settings: Pick<Settings, 'autoRefund' | 'providerRetryDelaysMs' | 'reconcileAgesMs'>,
  deps: Deps,
): Job {
  const all: PaymentProvider[] = [providers.stripe, providers.payos, providers.test].filter(
    (provider) => provider !== undefined,
  )
  const { autoRefund, providerRetryDelaysMs: retryDelaysMs, reconcileAgesMs } = settings
  const refunders = all.filter(({ canRefund }) => canRefund)
  const canRefund = (provider: string): boolean => refunders.some(({ name }) => name === provider)
  const jobs: Job[] = [
    ...(autoRefund ? [new RefundsDue({ ...deps, retryDelaysMs, canRefund })] : []),
    ...refunders.map((provider) => new ProviderRefunds(provider, { ...deps, retryDelaysMs, reconcileAgesMs })),
    ...all.map((provider) => new Reconciler(provider, { ...deps, retryDelaysMs, reconcileAgesMs })),
  ]
  return {
    tick: () => {
      for (const job of jobs) job.tick()
    },
    stop: async () => {
      await Promise.all(jobs.map((job) => job.stop()))
    },
  }
}
