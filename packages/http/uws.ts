/**
 * The transport on uWebSockets.js, and the only importer of its types. The rules it keeps, each with the crash or the
 * hole behind it: an unanswered response has an abort handler before the handler returns (or the process dies);
 * nothing touches a response after its end or its abort (throws); every late answer is corked (three system calls
 * become one); chunks are copied (they are emptied on return); ambiguous framing is refused (this release is not
 * strict enough, see `hasSoundFraming`).
 *
 * Limits that stay uWebSockets.js's own: 4096 bytes of request head (the environment variable
 * UWS_HTTP_MAX_HEADERS_SIZE raises it), 10 s for an idle connection, uploads of at least 16 KB/s. It closes the
 * connection when a request is pipelined behind one that is still being worked on, and it refuses HTTP/1.0.
 */
import { once } from 'node:events'
import { STATUS_CODES } from 'node:http'
import net from 'node:net'
import type * as Uws from 'uWebSockets.js'
import { streamStallMs } from '@penstock/domain/limits.ts'
import { Drain } from './drain.ts'
import { INTERNAL_ERROR } from './internal-error.ts'
import { streamBody } from './stream-body.ts'
import type { BodySink } from './stream-body.ts'
import type { HttpExchange, HttpHandler, HttpTransport } from './transport.ts'

/** What `loadUws` hands over. */
export type UwsLibrary = Pick<typeof Uws, 'App' | 'us_listen_socket_close' | 'us_socket_local_port'>

/** The methods that can have a route, and what uWebSockets.js calls them. */
const VERBS: Readonly<Record<string, 'get' | 'head' | 'post' | 'put' | 'patch' | 'del' | 'options'>> = {
  GET: 'get',
  HEAD: 'head',
  POST: 'post',
  PUT: 'put',
  PATCH: 'patch',
  DELETE: 'del',
  OPTIONS: 'options',
}

/** By status: `409 Conflict`. */
const STATUS_LINES = Object.entries(STATUS_CODES).reduce<string[]>((lines, [status, text]) => {
  lines[Number(status)] = `${status} ${text ?? ''}`
  return lines
}, [])

const LINE_BREAK = /[\r\n\0]/

type OnError = (error: unknown) => void

/** What all exchanges of a transport have in common, as one field: an exchange is made for every request. */
interface Shared {
  readonly drain: Drain
  readonly stallMs: number
  readonly onError: OnError
}

export class UwsTransport implements HttpTransport {
  readonly name = 'uws'
  readonly #library: UwsLibrary
  readonly #app: Uws.TemplatedApp
  readonly #shared: Shared
  readonly #drain = new Drain()
  readonly #segments = new Map<string, Set<string>>()
  #fallback: HttpHandler = (exchange) => exchange.send(404, [], '')
  #listenSocket: Uws.us_listen_socket | undefined
  #closed: Promise<void> | undefined

  /**
   * `onError` gets what a handler threw; the client has got a 500 by then, unless it was answered already. `stallMs`: a
   * client that takes nothing of a streamed body for so long is cut off.
   */
  constructor(library: UwsLibrary, onError: OnError, stallMs = streamStallMs) {
    this.#library = library
    this.#shared = { drain: this.#drain, stallMs, onError }
    this.#app = library.App()
    this.#app.filter((_res, change) => {
      if (Number(change) > 0) this.#drain.connectionOpened()
      else this.#drain.connectionClosed()
    })
    this.#app.any('/*', (res, req) => {
      this.#serve(req.getCaseSensitiveMethod().toUpperCase(), res, req, this.#fallback)
    })
  }

  route(method: string, pattern: string, handler: HttpHandler): void {
    const verb = VERBS[method]
    if (verb === undefined) throw new Error(`no route can have the method ${method}`)
    this.#assertLiteralsWin(method, pattern)
    this.#app[verb](pattern, (res, req) => this.#serve(method, res, req, handler))
  }

  fallback(handler: HttpHandler): void {
    this.#fallback = handler
  }

  async listen(host: string, port: number): Promise<number> {
    if (port !== 0 || process.platform !== 'linux') return this.#listenOn(host, port)
    // With port 0 uWebSockets.js leaves SO_REUSEPORT out, and nobody could share what it picks. So Node picks, and
    // holds the port until uWebSockets.js has it too.
    const probe = await bindProbe(host, 0)
    try {
      return await this.#listenOn(host, portOf(probe))
    } finally {
      await closeProbe(probe)
    }
  }

  async #listenOn(host: string, port: number): Promise<number> {
    const socket = await new Promise<Uws.us_listen_socket | false>((resolve) => {
      this.#app.listen(host, port, resolve)
    })
    if (socket === false) throw await describeListenError(host, port)
    this.#listenSocket = socket
    return this.#library.us_socket_local_port(socket)
  }

  close(drainMs: number): Promise<void> {
    this.#closed ??= this.#close(drainMs)
    return this.#closed
  }

  async #close(drainMs: number): Promise<void> {
    if (this.#listenSocket !== undefined) this.#library.us_listen_socket_close(this.#listenSocket)
    await this.#drain.wait(drainMs)
    this.#app.close()
  }

  #serve(method: string, res: Uws.HttpResponse, req: Uws.HttpRequest, handler: HttpHandler): void {
    if (!hasSoundFraming(method, req)) {
      // Not an answer: after one, the bytes that follow would still be read as a request.
      res.close()
      return
    }
    new UwsExchange(method, res, req, this.#shared).run(handler)
  }

  /**
   * uWebSockets.js tries the segments at one place in descending byte order, so that `:name` comes before a literal
   * that starts with a digit or a dot. Such a pair would break the contract silently.
   */
  #assertLiteralsWin(method: string, pattern: string): void {
    let parent = method
    for (const segment of pattern.split('/').slice(1)) {
      const siblings = this.#segments.get(parent) ?? new Set()
      this.#segments.set(parent, siblings.add(segment))
      const names = [...siblings]
      const late = names.find((name) => name !== '' && name < ':')
      if (late !== undefined && names.some((name) => name.startsWith(':'))) {
        throw new Error(`${method} ${pattern}: uWebSockets.js would prefer :name to the literal ${late} beside it`)
      }
      parent += `/${segment}`
    }
  }
}

class UwsExchange implements HttpExchange {
  readonly method: string
  readonly #res: Uws.HttpResponse
  readonly #req: Uws.HttpRequest
  readonly #shared: Shared
  #isDone = false
  /** The handler has returned, and it is not over: the exchange counts as in flight, and writing needs a cork. */
  #isLate = false
  #mustClose = false
  #body: UwsBody | null = null

  constructor(method: string, res: Uws.HttpResponse, req: Uws.HttpRequest, shared: Shared) {
    this.method = method
    this.#res = res
    this.#req = req
    this.#shared = shared
  }

  /** Calls the handler and leaves the response either answered or with an abort handler. */
  run(handler: HttpHandler): void {
    try {
      handler(this)
    } catch (error) {
      this.#fail(error)
    }
    if (this.#isDone && this.#body === null) return
    this.#isLate = true
    this.#shared.drain.requestStarted()
    this.#res.onAborted(() => {
      this.#settle()
      this.#body?.close()
    })
  }

  get path(): string {
    return this.#req.getUrl()
  }

  get query(): string {
    // Undefined without a `?`, whatever its types say.
    const query: string | undefined = this.#req.getQuery()
    return query ?? ''
  }

  header(name: string): string {
    return this.#req.getHeader(name)
  }

  param(index: number): string {
    return this.#req.getParameter(index) ?? ''
  }

  get done(): boolean {
    return this.#isDone
  }

  send(status: number, headers: readonly string[], body: string | Uint8Array): void {
    if (this.#isDone) return
    assertHeaderValues(headers)
    if (this.#isLate) {
      this.#settle()
      this.#res.cork(() => this.#write(status, headers, body))
    } else {
      this.#isDone = true
      this.#write(status, headers, body)
    }
  }

  async stream(status: number, headers: readonly string[], chunks: AsyncIterable<Uint8Array>): Promise<void> {
    if (this.#isDone) return
    try {
      assertHeaderValues(headers)
    } catch (error) {
      return this.#fail(error)
    }
    this.#isDone = true
    const body = new UwsBody(this.#res, {
      writeHead: () =>
        this.#writeHead(status, this.#shared.drain.isDraining ? [...headers, 'connection', 'close'] : headers),
      onEnd: () => this.#settle(),
      failAll: () => this.#writeAll(INTERNAL_ERROR.status, INTERNAL_ERROR.headers, INTERNAL_ERROR.body),
    })
    this.#body = body
    await streamBody(chunks, body, this.#shared.stallMs, this.#shared.onError)
    body.close()
  }

  readBody(bytesMax: number, onBody: (body: Uint8Array | null) => void): void {
    const chunks: Buffer[] = []
    let bytes = 0
    this.#res.onData((chunk, isLast) => {
      // Answered early, or too large already: what still arrives is nobody's.
      if (this.#isDone || bytes > bytesMax) return
      bytes += chunk.byteLength
      if (bytes > bytesMax) {
        this.#mustClose = true
        chunks.length = 0
        this.#deliver(onBody, null)
      } else if (!isLast) {
        chunks.push(Buffer.from(new Uint8Array(chunk)))
      } else if (chunks.length === 0) {
        this.#deliver(onBody, Buffer.from(chunk))
      } else {
        this.#deliver(onBody, Buffer.concat([...chunks, Buffer.from(chunk)]))
      }
    })
  }

  #deliver(onBody: (body: Uint8Array | null) => void, body: Uint8Array | null): void {
    try {
      onBody(body)
    } catch (error) {
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    this.send(INTERNAL_ERROR.status, INTERNAL_ERROR.headers, INTERNAL_ERROR.body)
    this.#shared.onError(error)
  }

  /** Answered late, or the client is gone. An answer to a late exchange may be followed by the abort of its rest. */
  #settle(): void {
    this.#isDone = true
    if (!this.#isLate) return
    this.#isLate = false
    this.#shared.drain.requestEnded()
  }

  #writeHead(status: number, headers: readonly string[]): void {
    const res = this.#res
    // uWebSockets.js writes `200 OK` itself, without a string to convert.
    if (status !== 200) res.writeStatus(STATUS_LINES[status] ?? `${status} Unknown`)
    for (let index = 1; index < headers.length; index += 2) {
      res.writeHeader(headers[index - 1] ?? '', headers[index] ?? '')
    }
  }

  /** An answer that breaks halfway (a header that is no string) must not leave its client and uWebSockets.js waiting. */
  #write(status: number, headers: readonly string[], body: string | Uint8Array): void {
    try {
      this.#writeAll(status, headers, body)
    } catch (error) {
      this.#res.close()
      throw error
    }
  }

  /** The one place that writes. */
  #writeAll(status: number, headers: readonly string[], body: string | Uint8Array): void {
    const res = this.#res
    this.#writeHead(status, headers)
    const mustClose = this.#mustClose || this.#shared.drain.isDraining
    if (status === 204 || status === 304) {
      // These must have no Content-Length, and any argument, even undefined, writes one. So the client has to close.
      if (mustClose) res.writeHeader('connection', 'close')
      res.endWithoutBody()
    } else if (this.method === 'HEAD') res.endWithoutBody(Buffer.byteLength(body), mustClose)
    else res.end(body, mustClose)
  }
}

interface BodyActions {
  /** Status and headers; called within a cork. */
  readonly writeHead: () => void
  /** Called before the response is ended by us. */
  readonly onEnd: () => void
  /** A whole answer of 500; called within a cork. */
  readonly failAll: () => void
}

/** A chunked body on uWebSockets.js, which has no timeout of its own while the next piece is made (25 s were tried). */
class UwsBody implements BodySink {
  readonly #res: Uws.HttpResponse
  readonly #actions: BodyActions
  #isHeadSent = false
  #isBlocked = false
  #isClosed = false
  #onWritable: (() => void) | null = null

  constructor(res: Uws.HttpResponse, actions: BodyActions) {
    this.#res = res
    this.#actions = actions
    res.onWritable(() => {
      this.#isBlocked = false
      this.#wake()
      return true
    })
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  write(bytes: Uint8Array): boolean {
    let isTaken = true
    this.#res.cork(() => {
      this.#sendHead()
      isTaken = this.#res.write(bytes)
    })
    this.#isBlocked = !isTaken
    return isTaken
  }

  whenWritable(callback: () => void): void {
    if (this.#isClosed || !this.#isBlocked) callback()
    else this.#onWritable = callback
  }

  end(): void {
    this.#finish(() => {
      this.#sendHead()
      // Not with the order to close: uWebSockets.js would write `Connection: close` into the body.
      this.#res.end('')
    })
  }

  cut(): void {
    this.#actions.onEnd()
    this.close()
    this.#res.close()
  }

  fail(): void {
    if (this.#isHeadSent) this.cut()
    else this.#finish(this.#actions.failAll)
  }

  /** The response is not ours any more. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#wake()
  }

  #finish(write: () => void): void {
    this.#actions.onEnd()
    this.close()
    this.#res.cork(write)
  }

  #sendHead(): void {
    if (this.#isHeadSent) return
    this.#isHeadSent = true
    this.#actions.writeHead()
  }

  #wake(): void {
    const callback = this.#onWritable
    this.#onWritable = null
    callback?.()
  }
}

/** Node refuses these too. Without it a value taken from a request could end the head and forge an answer. */
function assertHeaderValues(headers: readonly string[]): void {
  for (let index = 1; index < headers.length; index += 2) {
    if (LINE_BREAK.test(headers[index] ?? ''))
      throw new TypeError(`line break in the header ${headers[index - 1] ?? ''}`)
  }
}

/**
 * True when everybody must agree where the request ends. uWebSockets.js 20.57 takes the first of several differing
 * Content-Length headers and reads any Transfer-Encoding as chunked, so a proxy that takes the last or reads none
 * would let one client put a request into another client's mouth (request smuggling). It does refuse both together,
 * and lengths that are no number.
 *
 * Looking at every header costs about 1 µs, so a GET or HEAD without either header is spared. What that misses is an
 * empty Content-Length before another one, which no proxy may pass on.
 */
function hasSoundFraming(method: string, req: Uws.HttpRequest): boolean {
  const encoding = req.getHeader('transfer-encoding')
  if (encoding !== '' && encoding.toLowerCase() !== 'chunked') return false
  const isPlainRead = encoding === '' && (method === 'GET' || method === 'HEAD')
  if (isPlainRead && req.getHeader('content-length') === '') return true
  let framingHeaders = 0
  let hasEmpty = false
  req.forEach((name, value) => {
    if (name !== 'content-length' && name !== 'transfer-encoding') return
    framingHeaders++
    if (value === '') hasEmpty = true
  })
  return framingHeaders <= 1 && !hasEmpty
}

/** uWebSockets.js reports no reason. The same bind through Node does, unless the obstacle is gone by then. */
async function describeListenError(host: string, port: number): Promise<Error> {
  try {
    await closeProbe(await bindProbe(host, port))
    return new Error(`cannot listen on ${host}:${port}: uWebSockets.js does not say why`)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    return new Error(`cannot listen on ${host}:${port}: ${reason}`, { cause })
  }
}

async function bindProbe(host: string, port: number): Promise<net.Server> {
  const probe = net.createServer()
  probe.listen({ host, port, exclusive: true, reusePort: process.platform === 'linux' })
  await once(probe, 'listening')
  return probe
}

function portOf(server: net.Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not a server on a port')
  return address.port
}

function closeProbe(probe: net.Server): Promise<void> {
  return new Promise((resolve) => {
    probe.close(() => resolve())
  })
}
