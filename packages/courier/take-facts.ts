import { isRejected } from '@penstock/domain/result.ts'
import { factCommand } from '@penstock/providers/fact-command.ts'
import { commit } from './commit.ts'
import type { ProviderFact, ProviderName } from '@penstock/domain/provider-fact.ts'
import type { FactMint } from '@penstock/providers/fact-command.ts'
import type { WriterClient } from '@penstock/protocol/writer-client.ts'

export interface FactDeps {
  readonly writer: Pick<WriterClient, 'submit'>
  readonly mint: FactMint
  readonly log: (message: string) => void
}

/**
 * Has the books follow what a provider said when it was asked, one fact after the other, as its webhooks would. Known
 * facts change nothing. Rejects with NotCommitted.
 */
export async function takeFacts(
  provider: ProviderName,
  facts: readonly ProviderFact[],
  { writer, mint, log }: FactDeps,
): Promise<void> {
  for (const fact of facts) {
    const command = factCommand(provider, fact, null, mint)
    if (command === null) continue
    const result = await commit(writer, command)
    // As with a webhook: asking again would not help.
    if (isRejected(result)) log(`what ${provider} says contradicts what was recorded: ${fact.kind}: ${result.outcome}`)
  }
}
