/**
 * The one interface between the routes and an HTTP library. Two implementations: `uws.ts` (uWebSockets.js) and
 * `node-http.ts` (where uWebSockets.js cannot load). The same contract tests run on both: `transport.test.ts`.
 */

/**
 * One request and its response.
 *
 * `path`, `query`, `header` and `param` are valid only until the handler returns (uWebSockets.js frees the request
 * then): copy what is needed later. `send` may be called at any later time, once.
 */
export interface HttpExchange {
  /** Upper case. */
  readonly method: string
  /** As sent, without the query; percent-encoding untouched. */
  readonly path: string
  /** As sent, without the `?`; empty when there is none. */
  readonly query: string
  /** `name` in lower case; the first of several; empty when absent. */
  header(name: string): string
  /** The n-th `:name` of the matched pattern, as sent; empty when there is none. */
  param(index: number): string
  /** True once answered, or once the client is gone. */
  readonly done: boolean
  /**
   * Answers. `headers` alternates name, value. Content-Length is the transport's business. Ignored when `done`.
   * `body` is copied before this returns, and left out for HEAD, 204 and 304. Throws, with nothing sent, when a header
   * value holds a line break.
   */
  send(status: number, headers: readonly string[], body: string | Uint8Array): void
  /**
   * Answers with a body in pieces (chunked). Each piece is asked for once the client has taken those before it, and must
   * not be changed after it was handed over; an empty one writes nothing, but lets the transport see whether anybody
   * still listens. Resolves when it is over, however it ended, and never rejects:
   *
   * - The client goes away, or takes nothing for as long as the transport was told: `chunks` is returned, so that its
   *   finally blocks run, and the connection is closed.
   * - `chunks` throws: 500 when nothing was written yet. Else the connection breaks off without the last chunk, which is
   *   how a client sees that something is missing. The error goes where those of handlers go.
   * - `done` already: `chunks` is not begun.
   */
  stream(status: number, headers: readonly string[], chunks: AsyncIterable<Uint8Array>): Promise<void>
  /**
   * Collects the body and calls back once: with the bytes (valid only during the call), or with null when it is
   * larger than `bytesMax` (the connection closes after the answer). Not called when the client goes away first.
   * Must be called before the handler returns; no side effect may happen before it calls back, because the transport
   * rejects malformed framing only while it reads the body.
   */
  readBody(bytesMax: number, onBody: (body: Uint8Array | null) => void): void
}

export type HttpHandler = (exchange: HttpExchange) => void

export interface HttpTransport {
  readonly name: 'uws' | 'node'
  /**
   * `pattern` is a path whose segments are literal or `:name`. Literal segments win over `:name`, which matches any
   * segment but an empty one. A route for GET does not serve HEAD. A handler that throws is answered with a 500.
   */
  route(method: string, pattern: string, handler: HttpHandler): void
  /** Serves what no route matches: unknown paths and wrong methods. */
  fallback(handler: HttpHandler): void
  /** Binds with SO_REUSEPORT, so that several processes share one port. Port 0 picks one. Resolves with the port. */
  listen(host: string, port: number): Promise<number>
  /**
   * Stops accepting, lets requests in flight finish (their connections close with the answer) for at most
   * `drainMs`, then closes every connection.
   */
  close(drainMs: number): Promise<void>
}
