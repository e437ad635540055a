import { provesHold } from '@penstock/domain/hold.ts'
import { problem } from '../problem.ts'
import type { HoldProof } from '@penstock/domain/command.ts'
import type { Hold } from '@penstock/domain/hold.ts'
import type { Credential } from '@penstock/store/queries.ts'
import type { Problem } from '../problem.ts'

/** What the caller has to show for a hold: a secret key needs nothing more, a browser its client secret. */
export function readHoldProof(
  credential: Credential,
  clientSecret: string,
): { proof: HoldProof } | { problem: Problem } {
  if (credential.kind === 'secret') return { proof: null }
  if (clientSecret !== '') return { proof: clientSecret }
  const detail = 'With a publishable key, send the client_secret of the hold in the header Penstock-Client-Secret.'
  return { problem: problem('invalid_client_secret', detail, 'Penstock-Client-Secret') }
}

/** Why the caller may not see this hold or its order, or null. `proof`: as `readHoldProof` gave it. */
export function refuseHold(hold: Hold, proof: HoldProof): Problem | null {
  if (provesHold(hold, proof)) return null
  const detail = 'The client secret does not fit the hold.'
  return problem('invalid_client_secret', detail, 'Penstock-Client-Secret')
}
