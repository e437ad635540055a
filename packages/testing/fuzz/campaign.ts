import fc from 'fast-check'
import { Client } from '../client.ts'
import { AnswerChecker, operationsOf } from '../openapi/answer-check.ts'
import { SchemaCompiler } from '../openapi/json-schema.ts'
import { IdPool } from './id-pool.ts'
import { requestsOf } from './requests.ts'
import { rules } from './rules.ts'
import { stockPool } from './stock-pool.ts'
import type { OpenApiDocument } from '@penstock/http/openapi/document.ts'
import type { Box } from '../box.ts'
import type { Answer } from '../client.ts'
import type { PlacedOperation } from '../openapi/answer-check.ts'
import type { WireProblem } from '../wire-types.ts'
import type { Caller, FuzzRequest } from './requests.ts'

export interface CampaignOptions {
  /** The same seed makes the same choices; ids are the server's, and differ. */
  readonly seed: number
  /** Requests of each operation, at most. */
  readonly requestsPerOperation: number
  /** Milliseconds for each operation, at most. */
  readonly timeMs: number
  readonly onOperation?: (report: OperationReport) => void
}

export interface OperationReport {
  readonly operationId: string
  readonly requests: number
  /** Answers by status. */
  readonly statuses: ReadonlyMap<number, number>
}

/**
 * Sends generated requests of every operation in `document` to a running box. Throws at the first answer that breaks a
 * promise, with a small request that does it and the seed: a 5xx other than 503, an answer outside the document, a
 * valid request answered 400, an invalid one answered 2xx.
 */
export async function runCampaign(
  box: Pick<Box, 'url' | 'secretKey' | 'publishableKey'>,
  document: OpenApiDocument,
  options: CampaignOptions,
): Promise<OperationReport[]> {
  const clients: Record<Caller, Client> = {
    secret: new Client(box.url, box.secretKey),
    publishable: new Client(box.url, box.publishableKey),
    nobody: new Client(box.url, ''),
  }
  try {
    const reports: OperationReport[] = []
    const pool = new IdPool()
    pool.reserve(await clients.secret.get('/v1/api_keys'))
    const compiler = new SchemaCompiler(document)
    const checker = new AnswerChecker(document)
    for (const operation of operationsOf(document)) {
      await stockPool(clients.secret, pool, operation.operation.operationId)
      const statuses = new Map<number, number>()
      const run = async (request: FuzzRequest): Promise<void> => {
        const answer = await sendRequest(clients[request.caller], request)
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
        pool.learn(answer)
        const broken = brokenPromises(checker, operation, request, answer)
        if (broken.length > 0)
          throw new Error([...broken, `answered ${answer.status} ${shorten(answer.text)}`].join('\n'))
      }
      const { seed, requestsPerOperation, timeMs, onOperation } = options
      await fc.assert(fc.asyncProperty(requestsOf(document, operation, pool, compiler), run), {
        seed,
        numRuns: requestsPerOperation,
        interruptAfterTimeLimit: timeMs,
        markInterruptAsFailure: false,
        includeErrorInReport: true,
      })
      const requests = [...statuses.values()].reduce((sum, count) => sum + count, 0)
      const report = { operationId: operation.operation.operationId, requests, statuses }
      reports.push(report)
      onOperation?.(report)
    }
    return reports
  } finally {
    for (const client of Object.values(clients)) client.close()
  }
}

function sendRequest(client: Client, request: FuzzRequest): Promise<Answer<unknown>> {
  // A live page would go on for an hour; nobody has that long for one request.
  const wanted =
    request.path.endsWith('/live') && request.expectation !== 'refuse'
      ? { ...request.query, events: '1' }
      : request.query
  const query = Object.entries(wanted).map(
    ([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`,
  )
  const target = query.length === 0 ? request.path : `${request.path}?${query.join('&')}`
  return client.send(request.method, target, request.body, request.headers)
}

function brokenPromises(
  checker: AnswerChecker,
  { operation }: PlacedOperation,
  request: FuzzRequest,
  answer: Answer<unknown>,
): string[] {
  const broken = checker.deviations(request, answer)
  const { status } = answer
  if (status >= 500 && status !== 503) broken.push('a 5xx')
  if (request.expectation === 'refuse' && status < 300) broken.push(`${request.what} was accepted`)
  if (request.expectation === 'accept' && [400, 401, 405, 413, 415, 422].includes(status)) {
    const { param } = answer.body as WireProblem
    const isRule = rules.some(
      (rule) =>
        rule.operationId === operation.operationId &&
        rule.param.test(param ?? '') &&
        rule.mayBreak?.(request) !== false,
    )
    if (status !== 400 || !isRule) broken.push('a request that fits the document was refused')
  }
  return broken
}

function shorten(text: string): string {
  return text.length > 500 ? `${text.slice(0, 500)}…` : text
}
