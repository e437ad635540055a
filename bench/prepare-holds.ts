import net from 'node:net'
import { countToken, renderPieces } from './generators/generator.ts'
import type { Lab } from './lab.ts'

/** More than a measured phase uses: nobody looks at the latency here, and larger batches are faster. */
const connections = 128
const countTokenLength = 12

/**
 * Makes `count` holds over HTTP, as buyers do, and resolves with their ids. Every answer must be a 201. Plain sockets
 * and no HTTP parser: it is not what is measured and should be over soon.
 */
export async function prepareHolds(
  lab: Lab,
  count: number,
  onProgress: (done: number) => void,
  signal: AbortSignal,
): Promise<string[]> {
  const { hostname, port } = new URL(lab.box.url)
  const pieces = renderPieces(lab.holdRequest, lab.box.url, countTokenLength)
  const from = lab.takeNumbers(count)
  const ids: string[] = []
  let sent = 0
  const nextRequest = (): string | null => (sent < count ? pieces.join(countToken(from + sent++)) : null)
  const onId = (id: string): void => {
    ids.push(id)
    onProgress(ids.length)
  }
  const workers = Math.min(connections, count)
  await Promise.all(Array.from({ length: workers }, () => converse(Number(port), hostname, nextRequest, onId, signal)))
  return ids
}

/** One connection: a request, its answer, the next request. Resolves when there is none left. */
function converse(
  port: number,
  host: string,
  nextRequest: () => string | null,
  onId: (id: string) => void,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host, noDelay: true, signal })
    let received = ''
    const send = (): void => {
      const request = nextRequest()
      if (request === null) socket.end()
      else socket.write(request)
    }
    socket.setEncoding('latin1')
    socket.once('connect', send)
    socket.once('error', reject)
    socket.once('close', () => resolve())
    socket.on('data', (chunk: string) => {
      received += chunk
      const answer = readAnswer(received)
      if (answer === null) return
      received = ''
      const id = /"id":"(hold_[0-9a-z]{26})"/.exec(answer)?.[1]
      if (id === undefined || !answer.startsWith('HTTP/1.1 201 ')) {
        socket.destroy(new Error(`a hold could not be prepared:\n${answer}`))
        return
      }
      onId(id)
      send()
    })
  })
}

/** Head and body, or null while something is missing. */
function readAnswer(text: string): string | null {
  const headEnd = text.indexOf('\r\n\r\n')
  if (headEnd < 0) return null
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(text)?.[1] ?? Number.NaN)
  return text.length >= headEnd + 4 + length ? text : null
}
