import { Agent, request } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import type { Socket } from 'node:net'

/** What came back. `body` is the parsed JSON (`{}` when it was none), `text` the very bytes. */
export interface Answer<Body> {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  readonly body: Body
}

export interface ClientOptions {
  /** Connections kept open and shared by the requests, at most. 0: a new connection for every request. */
  readonly connections?: number
  /** From a request to the last byte of its answer. Above the server's own deadline by default. */
  readonly timeoutMs?: number
  /** Shared by clients that are one person; absent: its own. */
  readonly session?: Session
  /** Looks at every answer; what it throws is thrown by the request. */
  readonly check?: (sent: SentRequest, answer: Answer<unknown>) => void
}

export interface SentRequest {
  readonly method: string
  /** With its query. */
  readonly path: string
}

/** The newest commit that somebody has seen. Requests ask for it, so that they see it too, whichever process answers. */
export interface Session {
  seq: number
}

export type Headers = Readonly<Record<string, string>>

/** A client of the API for tests and tools: JSON in and out, over node:http, with one key. */
export class Client {
  readonly #address: { readonly host: string; readonly port: string }
  readonly #key: string
  readonly #agent: Agent
  readonly #timeoutMs: number
  readonly #session: Session
  readonly #check: ClientOptions['check']

  /** An empty `key` sends no Authorization. */
  constructor(
    url: string,
    key: string,
    { connections = 8, timeoutMs = 15_000, session = { seq: 0 }, check }: ClientOptions = {},
  ) {
    const { hostname: host, port } = new URL(url)
    this.#address = { host, port }
    this.#key = key
    this.#timeoutMs = timeoutMs
    this.#session = session
    this.#check = check
    this.#agent = connections === 0 ? new Agent() : new Agent({ keepAlive: true, maxSockets: connections })
  }

  get<Body = unknown>(path: string, headers: Headers = {}): Promise<Answer<Body>> {
    return this.send('GET', path, undefined, headers)
  }

  post<Body = unknown>(path: string, body: object = {}, headers: Headers = {}): Promise<Answer<Body>> {
    return this.send('POST', path, JSON.stringify(body), headers)
  }

  patch<Body = unknown>(path: string, body: object, headers: Headers = {}): Promise<Answer<Body>> {
    return this.send('PATCH', path, JSON.stringify(body), headers)
  }

  delete<Body = unknown>(path: string, headers: Headers = {}): Promise<Answer<Body>> {
    return this.send('DELETE', path, undefined, headers)
  }

  /** Sends the bytes as they are. Rejects only when no answer came: connection refused, broken, or too slow. */
  send<Body = unknown>(
    method: string,
    path: string,
    bytes: string | Uint8Array | undefined,
    headers: Headers = {},
  ): Promise<Answer<Body>> {
    const own = {
      ...(this.#key === '' ? {} : { authorization: `Bearer ${this.#key}` }),
      ...(this.#session.seq > 0 ? { 'penstock-min-seq': String(this.#session.seq) } : {}),
      ...(bytes === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(bytes)) }),
    }
    // An empty value means: without this header.
    const sent = Object.fromEntries(Object.entries({ ...own, ...headers }).filter(([, value]) => value !== ''))
    return new Promise((resolve, reject) => {
      // Not as a URL, which would be normalised: the path is sent as it is.
      const options = { ...this.#address, method, path, agent: this.#agent, headers: sent }
      const outgoing = request(options, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          clearTimeout(deadline)
          const text = Buffer.concat(chunks).toString('utf8')
          const { statusCode: status = 0, headers: received } = response
          this.#session.seq = Math.max(this.#session.seq, Number(received['penstock-seq'] ?? 0))
          try {
            const answer = { status, headers: received, text, body: readJson(received, text) as Body }
            this.#check?.({ method, path }, answer)
            resolve(answer)
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)))
          }
        })
      })
      const deadline = setTimeout(() => {
        outgoing.destroy(new Error(`${method} ${path}: no answer within ${this.#timeoutMs} ms`))
      }, this.#timeoutMs)
      outgoing.on('error', (error) => {
        clearTimeout(deadline)
        reject(error)
      })
      outgoing.end(bytes)
    })
  }

  /** Connections open now. */
  get sockets(): readonly Socket[] {
    return [...Object.values(this.#agent.sockets), ...Object.values(this.#agent.freeSockets)].flatMap(
      (list) => list ?? [],
    )
  }

  close(): void {
    this.#agent.destroy()
  }
}

/** One value: application/x-ndjson is many. */
export function isJson(contentType: string): boolean {
  return /^application\/(problem\+)?json\b/.test(contentType)
}

function readJson(headers: IncomingHttpHeaders, text: string): unknown {
  return text !== '' && isJson(headers['content-type'] ?? '') ? JSON.parse(text) : {}
}
