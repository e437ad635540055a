import { isRejected } from '@penstock/domain/result.ts'
import type { Command } from '@penstock/domain/command.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { WriterClient } from '@penstock/protocol/writer-client.ts'

/** The writer gave no answer in time, or could not do it: nobody knows, and the same command may be sent again. */
export class NotCommitted extends Error {
  readonly code = 'not_committed'
  readonly retryable = true
}

/** What the writer decided, once it is durable. Rejects with NotCommitted. */
export function commit(writer: Pick<WriterClient, 'submit'>, command: Command): Promise<Result> {
  return new Promise((resolve, reject) => {
    const taken = writer.submit(command, (reply) => {
      if (reply === null) return reject(new NotCommitted('the writer did not answer in time'))
      const { result } = reply
      if (isRejected(result) && (result.outcome === 'internal_error' || result.outcome === 'overloaded')) {
        return reject(new NotCommitted(`the writer answered ${command.kind} with ${result.outcome}`))
      }
      resolve(result)
    })
    if (!taken) reject(new NotCommitted('too many commands wait for the writer'))
  })
}
