import { isRejected } from '@penstock/domain/result.ts'
import { retryAfterSeconds } from '@penstock/domain/limits.ts'
import { problemKinds } from '../problem.ts'
import type { Command } from '@penstock/domain/command.ts'
import type { Accepted } from '@penstock/domain/result.ts'
import type { Deps } from '../api.ts'
import type { ProblemCode } from '../problem.ts'
import type { HttpExchange } from '../transport.ts'

/** The old system's answers: JSON with its field names, errors as `{"error": "..."}`. */

export const oldJson: readonly string[] = ['Content-Type', 'application/json']

export function sendOld(exchange: HttpExchange, status: number, body: object): void {
  exchange.send(status, oldJson, JSON.stringify(body))
}

export function sendOldError(exchange: HttpExchange, status: number, error: string): void {
  const retry = status === 503 ? ['Retry-After', String(retryAfterSeconds)] : []
  exchange.send(status, [...oldJson, ...retry], JSON.stringify({ error }))
}

/** A business refusal was 400, whatever it was. What is no refusal keeps its status: 500, 503 or 504. */
export function oldStatus(code: ProblemCode): number {
  const { status } = problemKinds[code]
  return status < 500 ? 400 : status
}

/** Sends a command to the writer. What it refuses is answered with `statusOf` its code. */
export function submitOld(
  exchange: HttpExchange,
  deps: Pick<Deps, 'writer' | 'log'>,
  command: Command,
  statusOf: (code: ProblemCode) => number,
  onAccepted: (result: Accepted) => void,
): void {
  const taken = deps.writer.submit(command, (reply) => {
    if (reply === null) {
      const error = 'No answer in time; it may have been done all the same.'
      return sendOldError(exchange, statusOf('deadline_exceeded'), error)
    }
    const { result } = reply
    if (isRejected(result)) return sendOldError(exchange, statusOf(result.outcome), result.detail)
    // A callback of the writer's line: what goes wrong here ends this request, not the process.
    failSafe(exchange, deps, () => onAccepted(result))
  })
  if (!taken) sendOldError(exchange, statusOf('overloaded'), 'Too many requests are waiting; nothing was done.')
}

export function failSafe(exchange: HttpExchange, { log }: Pick<Deps, 'log'>, answer: () => void): void {
  try {
    answer()
  } catch (error) {
    log('a request of the old API failed', error)
    sendOldError(exchange, 500, 'Internal error')
  }
}
