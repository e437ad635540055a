import type { Credentials } from './credentials.ts'
import type { WriterClient } from '@penstock/protocol/writer-client.ts'

/**
 * Tells the writer which keys this process has seen since the last report, in one command; none when there were none.
 * Resolves when the writer has answered or will not: a report may get lost, as `last_used_at` is for people only.
 */
export function reportKeyUses(
  credentials: Pick<Credentials, 'takeUses'>,
  writer: Pick<WriterClient, 'submit' | 'isConnected'>,
): Promise<void> {
  // Without a writer the uses stay for the next report.
  const uses = writer.isConnected ? credentials.takeUses() : []
  if (uses.length === 0) return Promise.resolve()
  return new Promise((resolve) => {
    const taken = writer.submit({ kind: 'touch_keys', key: null, uses }, () => resolve())
    if (!taken) resolve()
  })
}
