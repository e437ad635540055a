import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingHttpHeaders, Server, ServerResponse } from 'node:http'

/** A request that arrived, byte for byte. */
export interface Received {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** The body as JSON: `{id, type, timestamp, data}`. */
  readonly event: {
    readonly id: string
    readonly type: string
    readonly timestamp: string
    readonly data: { id: string }
  }
}

/** What is answered: a status, with headers; or null for nothing at all. */
export type Reply = {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
} | null

/** A receiver of webhooks: a real HTTP server on a free port, that answers as `reply` says. */
export class Receiver {
  readonly url: string
  /** In the order in which their bodies were complete. */
  readonly received: Received[] = []
  reply: (request: Received) => Reply | Promise<Reply> = () => ({ status: 200 })
  readonly #server: Server

  private constructor(server: Server, port: number) {
    this.#server = server
    this.url = `http://127.0.0.1:${port}/hook`
    server.on('request', (request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString('utf8')
        const event = JSON.parse(body) as Received['event']
        void this.#answer({ path: request.url ?? '', headers: request.headers, body, event }, response)
      })
      request.on('error', () => {})
    })
  }

  static async open(): Promise<Receiver> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('the receiver has no port')
    return new Receiver(server, address.port)
  }

  async #answer(received: Received, response: ServerResponse): Promise<void> {
    this.received.push(received)
    const reply = await this.reply(received)
    if (reply !== null) response.writeHead(reply.status, reply.headers).end(reply.body)
  }

  /** What was received of this type, in order. */
  of(type: string): readonly Received[] {
    return this.received.filter(({ event }) => event.type === type)
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}
