import { createServer } from 'node:http'
import type { IncomingHttpHeaders, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a request said. */
export interface Received {
  readonly method: string
  /** Path and query. */
  readonly target: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** An answer, or what happens instead of one: silence, a reset, a body that breaks off or never ends. */
export type Reaction =
  | { readonly status?: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string | object }
  | 'silence'
  | 'reset'
  | 'cut'
  | 'stall'

/** A server that answers what it was told to, in order, over real sockets. */
export class TestServer {
  readonly received: Received[] = []
  readonly #server: Server
  readonly #reactions: Reaction[] = []
  #onReceived: (() => void) | undefined

  private constructor(server: Server) {
    this.#server = server
    server.on('request', (request, response: ServerResponse) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const { method = '', url: target = '', headers } = request
        this.received.push({ method, target, headers, body: Buffer.concat(chunks).toString('utf8') })
        react(this.#reactions.shift() ?? { status: 500, body: 'nothing was to be asked any more' }, response)
        this.#onReceived?.()
      })
    })
  }

  static start(): Promise<TestServer> {
    const server = createServer()
    return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(new TestServer(server))))
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Appends to what the next requests get. */
  will(...reactions: readonly Reaction[]): void {
    this.#reactions.push(...reactions)
  }

  /** Resolves once so many requests came. */
  async untilReceived(count: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#onReceived = () => {
        if (this.received.length >= count) resolve()
      }
      this.#onReceived()
    })
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

function react(reaction: Reaction, response: ServerResponse): void {
  if (reaction === 'silence') return
  if (reaction === 'reset') {
    response.socket?.resetAndDestroy()
    return
  }
  if (reaction === 'cut' || reaction === 'stall') {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1_000 })
    response.write('{"id":"', () => reaction === 'cut' && response.socket?.destroy())
    return
  }
  const { status = 200, headers = {}, body = {} } = reaction
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(status === 304 ? undefined : text)
}

/** The answer that is this problem. */
export function problemReaction(
  status: number,
  code: string,
  retryable: boolean,
  headers: Readonly<Record<string, string>> = {},
): Reaction {
  const body = {
    type: `urn:penstock:problem:${code}`,
    title: 'A title',
    status,
    detail: 'What happened.',
    code,
    param: null,
    request_id: 'req_1',
    retryable,
  }
  return { status, body, headers: { 'content-type': 'application/problem+json', ...headers } }
}
