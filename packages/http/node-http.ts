/**
 * The transport on node:http, for machines where uWebSockets.js cannot load. Same contract, about half the speed.
 */
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import net from 'node:net'
import { streamStallMs } from '@penstock/domain/limits.ts'
import { Drain } from './drain.ts'
import { INTERNAL_ERROR } from './internal-error.ts'
import { NodeBody } from './node-body.ts'
import { streamBody } from './stream-body.ts'
import type { HttpExchange, HttpHandler, HttpTransport } from './transport.ts'

/** As uWebSockets.js, so that what works on one works on the other. */
const HEAD_BYTES_MAX = 4096
/** As uWebSockets.js's idle timeout: a slow client holds a connection no longer on one than on the other. */
const HEAD_TIMEOUT_MS = 10_000
const KEEP_ALIVE_TIMEOUT_MS = 10_000
/** The whole request with its body. Bodies are small (see `readBody`), so only an attacker needs longer. */
const REQUEST_TIMEOUT_MS = 30_000
/** How late the two request timeouts may be noticed. Node's own 30 s would make them four times as long. */
const TIMEOUT_CHECK_INTERVAL_MS = 2_000
/** Elsewhere Node refuses the option, and only one process can serve a port. */
const CAN_REUSE_PORT = ['linux', 'freebsd', 'sunos', 'aix'].includes(process.platform)

type OnError = (error: unknown) => void

interface RouteNode {
  readonly literals: Map<string, RouteNode>
  name: RouteNode | undefined
  handler: HttpHandler | undefined
}

export class NodeTransport implements HttpTransport {
  readonly name = 'node'
  readonly #onError: OnError
  readonly #stallMs: number
  readonly #server: Server
  readonly #drain = new Drain()
  readonly #roots = new Map<string, RouteNode>()
  #fallback: HttpHandler = (exchange) => exchange.send(404, [], '')
  #closed: Promise<void> | undefined

  /** As `UwsTransport`. */
  constructor(onError: OnError, stallMs = streamStallMs) {
    this.#onError = onError
    this.#stallMs = stallMs
    const options = {
      maxHeaderSize: HEAD_BYTES_MAX,
      headersTimeout: HEAD_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_INTERVAL_MS,
    }
    this.#server = createServer(options, (req, res) => this.#serve(req, res))
    this.#server.on('connection', (socket: net.Socket) => {
      this.#drain.connectionOpened()
      socket.once('close', () => this.#drain.connectionClosed())
    })
  }

  route(method: string, pattern: string, handler: HttpHandler): void {
    let node = this.#roots.get(method) ?? createRouteNode()
    this.#roots.set(method, node)
    for (const segment of pattern.split('/').slice(1)) {
      const isName = segment.startsWith(':')
      const child: RouteNode = (isName ? node.name : node.literals.get(segment)) ?? createRouteNode()
      if (isName) node.name = child
      else node.literals.set(segment, child)
      node = child
    }
    node.handler = handler
  }

  fallback(handler: HttpHandler): void {
    this.#fallback = handler
  }

  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const onError = (cause: Error) => {
        reject(new Error(`cannot listen on ${host}:${port}: ${cause.message}`, { cause }))
      }
      this.#server.once('error', onError)
      this.#server.listen({ host, port, exclusive: true, reusePort: CAN_REUSE_PORT }, () => {
        this.#server.removeListener('error', onError)
        const address = this.#server.address()
        resolve(address !== null && typeof address === 'object' ? address.port : port)
      })
    })
  }

  close(drainMs: number): Promise<void> {
    this.#closed ??= this.#close(drainMs)
    return this.#closed
  }

  async #close(drainMs: number): Promise<void> {
    // The close of net.Server only stops accepting; the one of http.Server cuts idle connections at once.
    net.Server.prototype.close.call(this.#server)
    await this.#drain.wait(drainMs)
    this.#server.close()
    this.#server.closeAllConnections()
  }

  #serve(req: IncomingMessage, res: ServerResponse): void {
    const url = req.url ?? ''
    const queryAt = url.indexOf('?')
    const path = queryAt < 0 ? url : url.slice(0, queryAt)
    const query = queryAt < 0 ? '' : url.slice(queryAt + 1)
    const root = this.#roots.get(req.method ?? '')
    const params: string[] = []
    // A path without a leading slash is the form for proxies (`GET http://...`) or `OPTIONS *`.
    const matched =
      root !== undefined && path.startsWith('/') ? findHandler(root, path.split('/'), 1, params) : undefined
    this.#drain.requestStarted()
    res.once('close', () => this.#drain.requestEnded())
    const exchange = new NodeExchange(req, res, path, query, params, this.#drain, this.#stallMs, this.#onError)
    exchange.run(matched ?? this.#fallback)
  }
}

function createRouteNode(): RouteNode {
  return { literals: new Map(), name: undefined, handler: undefined }
}

/** Depth first, literal before name, and back when the literal leads nowhere. Fills `params` on the way. */
function findHandler(
  node: RouteNode,
  segments: readonly string[],
  index: number,
  params: string[],
): HttpHandler | undefined {
  const segment = segments[index]
  if (segment === undefined) return node.handler
  const literal = node.literals.get(segment)
  const found = literal && findHandler(literal, segments, index + 1, params)
  if (found !== undefined || node.name === undefined || segment === '') return found
  params.push(segment)
  const named = findHandler(node.name, segments, index + 1, params)
  if (named === undefined) params.pop()
  return named
}

class NodeExchange implements HttpExchange {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly #req: IncomingMessage
  readonly #res: ServerResponse
  readonly #params: readonly string[]
  readonly #drain: Drain
  readonly #stallMs: number
  readonly #onError: OnError
  #isAnswered = false
  #mustClose = false

  constructor(
    req: IncomingMessage,
    res: ServerResponse,
    path: string,
    query: string,
    params: readonly string[],
    drain: Drain,
    stallMs: number,
    onError: OnError,
  ) {
    this.method = req.method ?? ''
    this.path = path
    this.query = query
    this.#req = req
    this.#res = res
    this.#params = params
    this.#drain = drain
    this.#stallMs = stallMs
    this.#onError = onError
  }

  run(handler: HttpHandler): void {
    try {
      handler(this)
    } catch (error) {
      this.#fail(error)
    }
  }

  /** The first, when a client sends several: as uWebSockets.js does. */
  header(name: string): string {
    return this.#req.headersDistinct[name]?.[0] ?? ''
  }

  param(index: number): string {
    return this.#params[index] ?? ''
  }

  get done(): boolean {
    return this.#isAnswered || this.#res.destroyed
  }

  send(status: number, headers: readonly string[], body: string | Uint8Array): void {
    if (this.done) return
    const head = [...headers]
    if (status !== 204 && status !== 304) head.push('content-length', String(Buffer.byteLength(body)))
    if (this.#mustClose || this.#drain.isDraining) head.push('connection', 'close')
    this.#res.writeHead(status, head)
    this.#isAnswered = true
    // Node keeps the bytes it is given until the client has taken them.
    this.#res.end(typeof body === 'string' ? body : Buffer.from(body))
  }

  stream(status: number, headers: readonly string[], chunks: AsyncIterable<Uint8Array>): Promise<void> {
    if (this.done) return Promise.resolve()
    const head = this.#drain.isDraining ? [...headers, 'connection', 'close'] : headers
    this.#isAnswered = true
    return streamBody(chunks, new NodeBody(this.#res, status, head), this.#stallMs, this.#onError)
  }

  readBody(bytesMax: number, onBody: (body: Uint8Array | null) => void): void {
    const chunks: Buffer[] = []
    let bytes = 0
    this.#req.on('data', (chunk: Buffer) => {
      if (bytes > bytesMax) return
      bytes += chunk.length
      if (bytes <= bytesMax) {
        chunks.push(chunk)
        return
      }
      this.#mustClose = true
      chunks.length = 0
      this.#deliver(onBody, null)
    })
    this.#req.once('end', () => {
      if (bytes <= bytesMax) this.#deliver(onBody, Buffer.concat(chunks))
    })
  }

  #deliver(onBody: (body: Uint8Array | null) => void, body: Uint8Array | null): void {
    if (this.done) return
    try {
      onBody(body)
    } catch (error) {
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    this.send(INTERNAL_ERROR.status, INTERNAL_ERROR.headers, INTERNAL_ERROR.body)
    this.#onError(error)
  }
}
