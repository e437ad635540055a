import net from 'node:net'
import { countToken, renderPieces } from './generators/plan.ts'
import { readAnswer, readId } from './generators/own/answer.ts'
import { holdTemplate } from './steps.ts'
import { Sale } from './sale.ts'

/** More than a measured phase uses: nobody looks at the latency here, and larger batches are faster. */
const connections = 128
const countTokenLength = 12

/**
 * Makes `count` holds over HTTP, as buyers do, and resolves with their ids. Of several sales of one box, each
 * gets its share. Every answer must be a 201. Not a
 * generator: it is not what is measured and should be over soon.
 */
export async function prepareHolds(
  sale: Sale | readonly Sale[],
  count: number,
  onProgress: (done: number) => void,
  signal: AbortSignal,
): Promise<string[]> {
  const sales = sale instanceof Sale ? [sale] : sale
  const [first] = sales
  if (first === undefined) throw new Error('there must be a sale')
  const { hostname, port } = new URL(first.url)
  const pieces = sales.map((one) => renderPieces(holdTemplate(one.facts), one.url, countTokenLength))
  const stride = strideOf(pieces.length)
  const from = first.takeNumbers(count)
  const ids: string[] = []
  let sent = 0
  const nextRequest = (): string | null => {
    if (sent === count) return null
    const next = pieces[(sent * stride) % pieces.length]
    return next?.join(countToken(from + sent++)) ?? null
  }
  const onId = (id: string): void => {
    ids.push(id)
    onProgress(ids.length)
  }
  const workers = Math.min(connections, count)
  await Promise.all(Array.from({ length: workers }, () => converse(Number(port), hostname, nextRequest, onId, signal)))
  return ids
}

/**
 * By the golden section, and without a factor of `count`: every sale gets its share, and those of a batch lie as far from
 * each other in the list as they can. A real crowd scatters a little less evenly.
 */
export function strideOf(count: number): number {
  let stride = Math.max(1, Math.round(count * 0.618_034))
  while (greatestCommonDivisor(stride, count) > 1) stride += 1
  return stride
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}

/** One connection: a request, its answer, the next request. Resolves when none is left, rejects if closed before. */
function converse(
  port: number,
  host: string,
  nextRequest: () => string | null,
  onId: (id: string) => void,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host, noDelay: true, signal })
    let received: Buffer = Buffer.alloc(0)
    let isDone = false
    const send = (): void => {
      const request = nextRequest()
      isDone = request === null
      if (request === null) socket.end()
      else socket.write(request)
    }
    socket.once('connect', send)
    socket.once('error', reject)
    socket.once('close', () => {
      if (isDone) resolve()
      else reject(new Error('the server closed a connection before its hold was answered'))
    })
    const onAnswered = (status: number): void => {
      const text = received.toString('latin1')
      received = Buffer.alloc(0)
      const id = status === 201 ? readId(text) : null
      if (id === null) throw new Error(`a hold could not be prepared:\n${text}`)
      onId(id)
      send()
    }
    socket.on('data', (chunk: Buffer) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
      try {
        const answer = readAnswer(received)
        if (answer !== null) onAnswered(answer.status)
      } catch (error) {
        socket.destroy(error as Error)
      }
    })
  })
}
