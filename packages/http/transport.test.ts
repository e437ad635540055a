/**
 * What every HttpTransport promises, over real sockets. Requests are written by hand where a client library would
 * tidy them up.
 */
import { once } from 'node:events'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { loadUws } from './load-uws.ts'
import { NodeTransport } from './node-http.ts'
import type { HttpExchange, HttpTransport } from './transport.ts'
import { UwsTransport } from './uws.ts'

const HOST = '127.0.0.1'
const BODY_BYTES_MAX = 1000

type Create = (onError: (error: unknown) => void, stallMs?: number) => HttpTransport

const loaded = loadUws({ cacheFolder: path.join(os.tmpdir(), `penstock-uws-test-${process.getuid?.() ?? 0}`) })
const transports: [string, Create][] = [['node', (onError, stallMs) => new NodeTransport(onError, stallMs)]]
if ('library' in loaded)
  transports.push(['uws', (onError, stallMs) => new UwsTransport(loaded.library, onError, stallMs)])
else console.warn(`uws is not tested: ${loaded.reason}`)

interface Answer {
  readonly status: number
  /** Lower case; of several, the last. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** One connection. Text is latin1, so that bytes survive. */
class Client {
  readonly #socket: net.Socket
  readonly #closed: Promise<void>
  #received = ''

  private constructor(socket: net.Socket) {
    this.#socket = socket
    socket.setEncoding('latin1').setNoDelay(true)
    socket.on('data', (piece: string) => {
      this.#received += piece
    })
    socket.on('error', () => {})
    this.#closed = new Promise((resolve) => socket.once('close', () => resolve()))
  }

  static async connect(port: number): Promise<Client> {
    const socket = net.connect(port, HOST)
    await once(socket, 'connect')
    return new Client(socket)
  }

  /** Each part leaves in its own packet, as far as a client can tell. */
  async write(...parts: (string | Buffer)[]): Promise<void> {
    for (const part of parts) {
      await new Promise((resolve) => this.#socket.write(part, resolve))
      await nextTurn()
    }
  }

  async get(target: string, ...headers: string[]): Promise<Answer> {
    await this.write(request('GET', target, headers))
    return this.answer()
  }

  async post(target: string, body: string | Buffer): Promise<Answer> {
    await this.write(request('POST', target, [`Content-Length: ${Buffer.byteLength(body)}`]), body)
    return this.answer()
  }

  /** The next answer. `isBodyless` for HEAD, whose Content-Length announces nothing. */
  async answer(isBodyless = false): Promise<Answer> {
    const headEnd = await this.#waitFor(() => this.#received.indexOf('\r\n\r\n'))
    const [statusLine = '', ...lines] = this.#received.slice(0, headEnd).split('\r\n')
    const headers: Record<string, string> = {}
    for (const line of lines) {
      const colon = line.indexOf(':')
      headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim()
    }
    const bodyEnd = headEnd + 4 + (isBodyless ? 0 : Number(headers['content-length'] ?? 0))
    await this.#waitFor(() => (this.#received.length >= bodyEnd ? bodyEnd : -1))
    const body = this.#received.slice(headEnd + 4, bodyEnd)
    this.#received = this.#received.slice(bodyEnd)
    const status = /^HTTP\/1\.1 ([1-5]\d\d) /.exec(statusLine)?.[1]
    if (status === undefined) throw new Error(`no answer starts with ${JSON.stringify(statusLine)}`)
    return { status: Number(status), headers, body }
  }

  /** Everything not read yet, once the server has closed the connection. */
  async rest(): Promise<string> {
    this.#socket.resume()
    await this.#closed
    return this.#received
  }

  /** Everything not read yet, up to the end of a chunked body. */
  async chunked(): Promise<string> {
    const end = '0\r\n\r\n'
    const at = await this.#waitFor(() => this.#received.indexOf(end))
    const answer = this.#received.slice(0, at + end.length)
    this.#received = this.#received.slice(at + end.length)
    return answer
  }

  /** Stops reading; `take` goes on. */
  pause(): void {
    this.#socket.pause()
  }

  /** Reads until `bytes` more have come or the connection has closed, then stops reading again. Gives how many came. */
  async take(bytes: number): Promise<number> {
    const before = this.#received.length
    while (this.#received.length - before < bytes && !this.#socket.destroyed) {
      this.#socket.resume()
      await Promise.race([once(this.#socket, 'data'), this.#closed])
    }
    this.#socket.pause()
    return this.#received.length - before
  }

  /** Resets the connection, as a killed client does. */
  abort(): void {
    this.#socket.resetAndDestroy()
  }

  close(): void {
    this.#socket.destroy()
  }

  /** `find` gives an offset, or -1 to wait for more. */
  async #waitFor(find: () => number): Promise<number> {
    for (;;) {
      const offset = find()
      if (offset >= 0) return offset
      if (this.#socket.destroyed) throw new Error(`closed after ${JSON.stringify(this.#received)}`)
      await Promise.race([once(this.#socket, 'data'), this.#closed])
    }
  }
}

function request(method: string, target: string, headers: readonly string[] = []): string {
  return [`${method} ${target} HTTP/1.1`, 'Host: shop', ...headers, '', ''].join('\r\n')
}

function text(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8')
}

/** A promise that a handler resolves. */
function latch<T>(): { readonly reached: Promise<T>; open(value: T): void } {
  const { promise, resolve } = Promise.withResolvers<T>()
  return { reached: promise, open: resolve }
}

describe.each(transports)('HttpTransport %s', (_name, create) => {
  let transport: HttpTransport
  let port: number
  let errors: unknown[]
  const open: { close(): unknown }[] = []

  /** The routes that many tests share, and a port. */
  beforeEach(async () => {
    errors = []
    transport = create((error) => errors.push(error))
    transport.route('POST', '/echo', (exchange) => {
      exchange.readBody(BODY_BYTES_MAX, (body) => exchange.send(body === null ? 413 : 200, [], body ?? 'too large'))
    })
    transport.route('GET', '/hello', (exchange) => exchange.send(200, [], 'hello'))
    transport.fallback((exchange) => exchange.send(404, [], `no ${exchange.method} ${exchange.path}`))
    port = await transport.listen(HOST, 0)
  })

  afterEach(async () => {
    for (const client of open.splice(0)) client.close()
    await transport.close(0)
  })

  async function connect(): Promise<Client> {
    const client = await Client.connect(port)
    open.push(client)
    return client
  }

  describe('routing', () => {
    beforeEach(() => {
      const patterns = ['/', '/a', '/a/:x', '/a/lit', '/a/lit/:y', '/a/:x/z', '/a/:x/z/:y', '/v1/drops/:id/live']
      for (const pattern of patterns) {
        transport.route('GET', pattern, (exchange) => {
          exchange.send(200, [], [pattern, exchange.param(0), exchange.param(1), exchange.param(2)].join(' '))
        })
      }
    })

    it.each([
      ['/', '/   '],
      ['/a', '/a   '],
      ['/a/b', '/a/:x b  '],
      ['/a/lit', '/a/lit   '],
      ['/a/literal', '/a/:x literal  '],
      ['/a/lit/z', '/a/lit/:y z  '],
      ['/a/lit/z/1', '/a/:x/z/:y lit 1 '],
      ['/a/b/z', '/a/:x/z b  '],
      ['/v1/drops/drop_01/live', '/v1/drops/:id/live drop_01  '],
      ['/a/%2Fb%C3%A9?c', '/a/:x %2Fb%C3%A9  '],
      ['/a/', 'no GET /a/'],
      ['/a/b/', 'no GET /a/b/'],
      ['//a', 'no GET //a'],
      ['/A', 'no GET /A'],
      ['/a/b/y', 'no GET /a/b/y'],
      ['/nothing?here', 'no GET /nothing'],
      ['/a/../a', 'no GET /a/../a'],
    ])('route gives %s to the right handler', async (target, expected) => {
      const client = await connect()
      expect(await client.get(target)).toMatchObject({ status: expected.startsWith('no') ? 404 : 200, body: expected })
    })

    it('fallback serves a method that has no route', async () => {
      const client = await connect()
      expect(await client.post('/hello', 'x')).toMatchObject({ status: 404, body: 'no POST /hello' })
      await client.write(request('PROPFIND', '/hello'))
      expect(await client.answer()).toMatchObject({ status: 404, body: 'no PROPFIND /hello' })
    })

    it.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('route serves %s', async (method) => {
      transport.route(method, '/method', (exchange) => exchange.send(200, [], exchange.method))
      const client = await connect()
      await client.write(request(method, '/method'))
      expect(await client.answer()).toMatchObject({ status: 200, body: method })
    })

    it('send leaves the body out for HEAD and announces its length', async () => {
      transport.route('HEAD', '/hello', (exchange) => exchange.send(200, [], 'hellö'))
      const client = await connect()
      await client.write(request('HEAD', '/hello'))
      expect(await client.answer(true)).toMatchObject({ status: 200, headers: { 'content-length': '6' } })
      expect(await client.get('/hello')).toMatchObject({ body: 'hello' })
      await client.write(request('HEAD', '/nothing'))
      expect(await client.answer(true)).toMatchObject({ status: 404, headers: { 'content-length': '16' } })
      expect(await client.get('/hello')).toMatchObject({ body: 'hello' })
    })

    it('answers 404 without a fallback', async () => {
      const bare = create(() => {})
      open.push({ close: () => bare.close(0) })
      const client = await Client.connect(await bare.listen(HOST, 0))
      expect(await client.get('/')).toMatchObject({ status: 404, body: '' })
      client.close()
      await bare.close(0)
    })
  })

  describe('request', () => {
    it('query is what was sent, and empty without one', async () => {
      transport.route('GET', '/query', (exchange) => exchange.send(200, [], `${exchange.path}[${exchange.query}]`))
      const client = await connect()
      expect(await client.get('/query?a=1&b=%20+&a=2?x')).toMatchObject({ body: '/query[a=1&b=%20+&a=2?x]' })
      expect(await client.get('/query')).toMatchObject({ body: '/query[]' })
      expect(await client.get('/query?')).toMatchObject({ body: '/query[]' })
    })

    it('header finds by lower-case name, gives the first of several, and is empty when absent', async () => {
      transport.route('GET', '/headers', (exchange) => {
        const names = ['authorization', 'idempotency-key', 'x-absent', 'host']
        exchange.send(200, [], names.map((name) => exchange.header(name)).join('|'))
      })
      const client = await connect()
      const sent = ['AUTHORIZATION: Bearer  Abc', 'Idempotency-Key:one', 'idempotency-key: two']
      expect(await client.get('/headers', ...sent)).toMatchObject({ body: 'Bearer  Abc|one||shop' })
    })

    it('refuses a head that is too large', async () => {
      const client = await connect()
      await client.write(request('GET', '/hello', [`X: ${'y'.repeat(5000)}`]))
      expect((await client.rest()).slice(0, 12)).toBe('HTTP/1.1 431')
    })
  })

  describe('readBody', () => {
    it.each([0, 1, BODY_BYTES_MAX - 1, BODY_BYTES_MAX])('gives a body of %i bytes', async (bytes) => {
      const client = await connect()
      const body = 'x'.repeat(bytes)
      expect(await client.post('/echo', body)).toMatchObject({ status: 200, body })
      expect(await client.get('/hello')).toMatchObject({ status: 200 })
    })

    it('gives an empty body when the request has none', async () => {
      const client = await connect()
      await client.write(request('POST', '/echo'))
      expect(await client.answer()).toMatchObject({ status: 200, body: '' })
    })

    it('gives null one byte above the limit and closes after the answer', async () => {
      const client = await connect()
      const tooLarge = 'x'.repeat(BODY_BYTES_MAX + 1)
      expect(await client.post('/echo', tooLarge)).toMatchObject({ status: 413, headers: { connection: 'close' } })
      expect(await client.rest()).toBe('')
    })

    it('gives null once, however much still comes', async () => {
      const bodies: (Uint8Array | null)[] = []
      transport.route('POST', '/count', (exchange) => {
        exchange.readBody(BODY_BYTES_MAX, (body) => {
          bodies.push(body)
          setImmediate(() => exchange.send(413, [], ''))
        })
      })
      const client = await connect()
      const chunk = `258\r\n${'x'.repeat(600)}\r\n`
      await client.write(`${request('POST', '/count', ['Transfer-Encoding: chunked'])}${chunk.repeat(5)}0\r\n\r\n`)
      expect(await client.answer()).toMatchObject({ status: 413 })
      await client.rest()
      expect(bodies).toEqual([null])
    })

    it('gives null before the end of a body that is too large', async () => {
      const client = await connect()
      const half = 'x'.repeat(BODY_BYTES_MAX)
      await client.write(request('POST', '/echo', ['Content-Length: 1000000']), half, half)
      expect(await client.answer()).toMatchObject({ status: 413, headers: { connection: 'close' } })
      expect(await client.rest()).toBe('')
    })

    it('gives a large body that comes in many pieces', async () => {
      transport.route('POST', '/large', (exchange) => {
        exchange.readBody(2_000_000, (body) => exchange.send(200, [], Buffer.from(body ?? '').toString('base64')))
      })
      const client = await connect()
      const body = Buffer.alloc(1_500_000)
      for (let index = 0; index < body.length; index++) body[index] = (index * 31) % 251
      const answer = await client.post('/large', body)
      expect(Buffer.from(answer.body, 'base64').equals(body)).toBe(true)
    })

    it('puts a chunked body together, wherever the packets end', async () => {
      const head = request('POST', '/echo', ['Transfer-Encoding: chunked'])
      const message = `${head}5\r\nhello\r\n1\r\n \r\n0A\r\n0123456789\r\n0\r\n\r\n`
      for (let step = 1; step <= 13; step += 3) {
        const client = await connect()
        await client.write(...(message.match(new RegExp(`.{1,${step}}`, 'gs')) ?? []))
        expect(await client.answer()).toMatchObject({ status: 200, body: 'hello 0123456789' })
        client.close()
      }
    })

    it('keeps every byte', async () => {
      const client = await connect()
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index))
      expect((await client.post('/echo', bytes)).body).toBe(bytes.toString('latin1'))
      const words = 'Größe 42 – 靴 👟 \u0000 \ufeff'
      expect(text((await client.post('/echo', words)).body)).toBe(words)
    })

    it('does not call back when the client goes away first', async () => {
      const entered = latch<HttpExchange>()
      const onBody = vi.fn<() => void>()
      transport.route('POST', '/wait', (exchange) => {
        exchange.readBody(BODY_BYTES_MAX, onBody)
        entered.open(exchange)
      })
      const client = await connect()
      await client.write(request('POST', '/wait', ['Content-Length: 100']), 'half of it')
      const exchange = await entered.reached
      expect(exchange.done).toBe(false)
      client.abort()
      await vi.waitFor(() => expect(exchange.done).toBe(true), { interval: 1 })
      exchange.send(200, [], 'nobody hears')
      expect(onBody).not.toHaveBeenCalled()
      expect(await (await connect()).get('/hello')).toMatchObject({ status: 200 })
    })

    it('is not needed: what a handler does not read never becomes a request', async () => {
      const client = await connect()
      const smuggled = request('POST', '/echo', ['Content-Length: 0'])
      expect(await client.post('/nothing', smuggled)).toMatchObject({ status: 404 })
      expect(await client.get('/hello')).toMatchObject({ body: 'hello' })
    })
  })

  describe('framing', () => {
    const chunked = 'Transfer-Encoding: chunked'
    it.each<[string, string[], string]>([
      ['length and chunks', ['Content-Length: 3', chunked], '3\r\nabc\r\n0\r\n\r\n'],
      ['chunks and length', [chunked, 'Content-Length: 3'], '3\r\nabc\r\n0\r\n\r\n'],
      ['two different lengths', ['Content-Length: 3', 'Content-Length: 5'], 'abcde'],
      ['two different lengths, larger first', ['Content-Length: 5', 'Content-Length: 3'], 'abcde'],
      ['an empty length before a length', ['Content-Length:', 'Content-Length: 5'], 'abcde'],
      ['an empty length', ['Content-Length:'], 'abcde'],
      ['two lengths in one header', ['Content-Length: 3, 5'], 'abcde'],
      ['a length that is no number', ['Content-Length: abc'], 'abcde'],
      ['a negative length', ['Content-Length: -1'], 'abcde'],
      ['a length with a sign', ['Content-Length: +3'], 'abc'],
      ['a length beyond 64 bits', ['Content-Length: 18446744073709551619'], 'abc'],
      ['a space before the colon', ['Content-Length : 3'], 'abc'],
      ['an unknown encoding', ['Transfer-Encoding: gzip'], '3\r\nabc\r\n0\r\n\r\n'],
      ['an encoding after chunked', [chunked, 'Transfer-Encoding: identity'], '3\r\nabc\r\n0\r\n\r\n'],
      ['a chunk size that is no number', [chunked], 'zz\r\nabc\r\n0\r\n\r\n'],
      ['a negative chunk size', [chunked], '-3\r\nabc\r\n0\r\n\r\n'],
      ['a chunk size beyond 64 bits', [chunked], 'fffffffffffffffff\r\nabc\r\n0\r\n\r\n'],
    ])('rejects %s before any body is given', async (_case, headers, body) => {
      const onBody = vi.fn<() => void>()
      const onSmuggled = vi.fn<() => void>()
      transport.route('POST', '/framing', (exchange) => exchange.readBody(BODY_BYTES_MAX, onBody))
      transport.route('POST', '/smuggled', onSmuggled)
      const client = await connect()
      await client.write(request('POST', '/framing', headers) + body + request('POST', '/smuggled'))
      expect(await client.rest()).toMatch(/^$|^HTTP\/1\.1 4/)
      expect(onBody).not.toHaveBeenCalled()
      expect(onSmuggled).not.toHaveBeenCalled()
      expect(errors).toEqual([])
    })

    it('rejects differing lengths on a request whose handler reads no body', async () => {
      const onSmuggled = vi.fn<() => void>()
      transport.route('POST', '/smuggled', onSmuggled)
      const client = await connect()
      const smuggled = request('POST', '/smuggled')
      const lengths = ['Content-Length: 0', `Content-Length: ${smuggled.length}`]
      await client.write(request('GET', '/hello', lengths) + smuggled)
      expect(await client.rest()).toMatch(/^$|^HTTP\/1\.1 4/)
      expect(onSmuggled).not.toHaveBeenCalled()
    })

    it('survives nonsense', async () => {
      const client = await connect()
      await client.write('\u0016\u0003\u0001 hello\r\n\r\n', request('GET', '/hello'))
      client.close()
      expect(await (await connect()).get('/hello')).toMatchObject({ status: 200 })
    })
  })

  describe('send', () => {
    it('writes status, headers and a text or binary body', async () => {
      const bytes = Buffer.from([0, 1, 255, 128, 10, 13])
      transport.route('GET', '/text', (exchange) => exchange.send(409, ['etag', '"1"', 'X-Shoe', 'a: b'], 'schön'))
      transport.route('GET', '/bytes', (exchange) => exchange.send(201, [], bytes.subarray(1, 5)))
      const client = await connect()
      const answer = await client.get('/text')
      expect(answer).toMatchObject({ status: 409, headers: { etag: '"1"', 'x-shoe': 'a: b', 'content-length': '6' } })
      expect(text(answer.body)).toBe('schön')
      expect(await client.get('/bytes')).toMatchObject({ status: 201, body: '\x01\xff\x80\n' })
    })

    it.each(['409 Conflict', '422 Unprocessable Entity', '503 Service Unavailable'])(
      'names the status %s',
      async (line) => {
        transport.route('GET', '/status', (exchange) => exchange.send(Number.parseInt(line, 10), [], ''))
        const client = await connect()
        await client.write(request('GET', '/status', ['Connection: close']))
        expect((await client.rest()).split('\r\n')[0]).toBe(`HTTP/1.1 ${line}`)
      },
    )

    it.each([204, 304])('sends neither body nor length with %i', async (status) => {
      transport.route('GET', '/bodyless', (exchange) => exchange.send(status, ['etag', '"1"'], ''))
      const client = await connect()
      const answer = await client.get('/bodyless')
      expect(answer).toMatchObject({ status, headers: { etag: '"1"' } })
      expect(answer.headers).not.toHaveProperty('content-length')
      expect(answer.headers).not.toHaveProperty('transfer-encoding')
      expect(await client.get('/hello')).toMatchObject({ body: 'hello' })
    })

    it('copies the body before it returns', async () => {
      const bytes = Buffer.alloc(4_000_000, 'a')
      transport.route('GET', '/copy', (exchange) => {
        exchange.send(200, [], bytes)
        bytes.fill('b')
      })
      const client = await connect()
      expect((await client.get('/copy')).body).toBe('a'.repeat(4_000_000))
    })

    it('works after the handler returned, for many at once and in any order', async () => {
      const waiting: HttpExchange[] = []
      transport.route('GET', '/later/:n', (exchange) => {
        const number = exchange.param(0)
        setImmediate(() => exchange.send(200, ['x-number', number], number.repeat(3)))
      })
      transport.route('GET', '/together', (exchange) => {
        waiting.push(exchange)
        if (waiting.length < 50) return
        for (const [index, other] of waiting.reverse().entries()) other.send(201, [], String(index))
      })
      const clients = await Promise.all(Array.from({ length: 50 }, connect))
      const later = await Promise.all(clients.map((client, index) => client.get(`/later/${index}`)))
      expect(later.map((answer) => answer.body)).toEqual(clients.map((_, index) => String(index).repeat(3)))
      const together = await Promise.all(clients.map((client) => client.get('/together')))
      const bodies = together.map((answer) => Number(answer.body)).sort((a, b) => a - b)
      expect(bodies).toEqual(clients.map((_, index) => index))
    })

    it('is ignored the second time, and done tells', async () => {
      const seen: boolean[] = []
      transport.route('GET', '/twice', (exchange) => {
        seen.push(exchange.done)
        exchange.send(200, [], 'first')
        seen.push(exchange.done)
        exchange.send(500, [], 'second')
        setImmediate(() => exchange.send(500, [], 'third'))
      })
      const client = await connect()
      expect(await client.get('/twice')).toMatchObject({ status: 200, body: 'first' })
      expect(await client.get('/hello')).toMatchObject({ status: 200, body: 'hello' })
      expect(seen).toEqual([false, true])
    })

    it('is ignored when the client has gone, and done tells', async () => {
      const entered = latch<HttpExchange>()
      transport.route('GET', '/gone', (exchange) => entered.open(exchange))
      const client = await connect()
      await client.write(request('GET', '/gone'))
      const exchange = await entered.reached
      expect(exchange.done).toBe(false)
      client.abort()
      await vi.waitFor(() => expect(exchange.done).toBe(true), { interval: 1 })
      exchange.send(200, ['x', 'y'], 'nobody hears')
      expect(errors).toEqual([])
      expect(await (await connect()).get('/hello')).toMatchObject({ status: 200 })
    })

    it('answers before the body has come, and the next request is read right', async () => {
      const onBody = vi.fn<() => void>()
      transport.route('POST', '/early', (exchange) => {
        exchange.readBody(BODY_BYTES_MAX, onBody)
        exchange.send(401, [], '')
      })
      const client = await connect()
      expect(await client.post('/early', 'x'.repeat(100))).toMatchObject({ status: 401 })
      expect(await client.get('/hello')).toMatchObject({ status: 200 })
      expect(onBody).not.toHaveBeenCalled()
    })
  })

  describe('stream', () => {
    const bytes = (part: string): Uint8Array => new TextEncoder().encode(part)

    /** Pieces that come later, each in a turn of its own. */
    async function* pieces(...parts: readonly string[]): AsyncGenerator<Uint8Array> {
      for (const part of parts) {
        await nextTurn()
        yield bytes(part)
      }
    }

    /** Counts what was asked for, and tells when it ended. Each piece is 256 KiB. */
    function flood(count: number) {
      const piece = new Uint8Array(262_144).fill(97)
      const state = { asked: 0, ended: latch<void>() }
      async function* chunks(): AsyncGenerator<Uint8Array> {
        try {
          for (; state.asked < count; state.asked++) yield piece
        } finally {
          state.ended.open()
        }
      }
      return { state, chunks, pieceBytes: piece.length }
    }

    it('writes head and pieces in order, leaves empty ones out, and the connection lives on', async () => {
      transport.route('GET', '/stream', (exchange) => {
        void exchange.stream(201, ['x-shoe', 'a'], pieces('', 'eins ', '', 'zwö', 'lf'))
        expect(exchange.done).toBe(true)
        exchange.send(500, [], 'ignored')
      })
      const client = await connect()
      await client.write(request('GET', '/stream'))
      const received = text(await client.chunked())
      const [head = '', body = ''] = received.split('\r\n\r\n', 2)
      expect(head).toMatch(/^HTTP\/1\.1 201 Created\r\n/)
      expect(head.toLowerCase()).toContain('x-shoe: a')
      expect(head.toLowerCase()).toContain('transfer-encoding: chunked')
      expect(head.toLowerCase()).not.toContain('content-length')
      expect(body).toBe('5\r\neins \r\n4\r\nzwö\r\n2\r\nlf\r\n0')
      expect(await client.get('/hello')).toMatchObject({ status: 200, body: 'hello' })
    })

    it('is read by fetch, when begun late too', async () => {
      transport.route('GET', '/late/:n', (exchange) => {
        const parts = Array.from({ length: Number(exchange.param(0)) }, (_, index) => `${index},`)
        setImmediate(() => void exchange.stream(200, [], pieces(...parts)))
      })
      for (const [count, body] of [
        [0, ''],
        [1, '0,'],
        [5, '0,1,2,3,4,'],
      ]) {
        const response = await fetch(`http://${HOST}:${port}/late/${count}`)
        expect([response.status, await response.text()]).toEqual([200, body])
      }
    })

    it('answers 500 when the pieces fail before the first', async () => {
      const bug = new Error('bug')
      async function* broken(): AsyncGenerator<Uint8Array> {
        yield bytes('')
        await nextTurn()
        throw bug
      }
      const over: Promise<void>[] = []
      transport.route('GET', '/broken', (exchange) => void over.push(exchange.stream(200, ['x', 'y'], broken())))
      const client = await connect()
      const answer = await client.get('/broken')
      expect(answer).toMatchObject({ status: 500, headers: { 'content-type': 'application/problem+json' } })
      expect(answer.headers).not.toHaveProperty('x')
      expect(await client.get('/hello')).toMatchObject({ body: 'hello' })
      await Promise.all(over)
      expect(errors).toEqual([bug])
    })

    it('breaks off without the last chunk when the pieces fail halfway', async () => {
      const bug = new Error('bug')
      async function* broken(): AsyncGenerator<Uint8Array> {
        yield bytes('some')
        await nextTurn()
        throw bug
      }
      transport.route('GET', '/broken', (exchange) => void exchange.stream(200, [], broken()))
      const client = await connect()
      await client.write(request('GET', '/broken'))
      expect(await client.rest()).not.toContain('0\r\n\r\n')
      expect(errors).toEqual([bug])
      await expect(fetch(`http://${HOST}:${port}/broken`).then((response) => response.text())).rejects.toThrow(
        'terminated',
      )
      expect(await (await connect()).get('/hello')).toMatchObject({ status: 200 })
    })

    it('ends the pieces when the client goes away', async () => {
      const { state, chunks } = flood(Infinity)
      const over = latch<void>()
      transport.route('GET', '/flood', (exchange) => void exchange.stream(200, [], chunks()).then(() => over.open()))
      const client = await connect()
      await client.write(request('GET', '/flood'))
      await client.take(1_000_000)
      client.abort()
      await state.ended.reached
      await over.reached
      expect(errors).toEqual([])
      expect(await (await connect()).get('/hello')).toMatchObject({ status: 200 })
    })

    it('asks for no more than the client takes', async () => {
      const count = 400
      const { state, chunks, pieceBytes } = flood(count)
      transport.route('GET', '/flood', (exchange) => void exchange.stream(200, [], chunks()))
      const client = await connect()
      const other = await connect()
      client.pause()
      await client.write(request('GET', '/flood'))
      // What the kernel keeps for a connection; far below the whole.
      const keptMax = 24_000_000
      let taken = 0
      while (taken < 40_000_000) {
        // Turns enough to pull everything, if nothing held it back.
        for (let round = 0; round < 20; round++) await other.get('/hello')
        expect(state.asked * pieceBytes - taken).toBeLessThan(keptMax)
        taken += await client.take(2_000_000)
      }
      const all = count * pieceBytes
      while (taken < all) taken += await client.take(all - taken)
      await state.ended.reached
      expect(state.asked).toBe(count)
    })

    it('cuts off a client that takes nothing', async () => {
      const hasty = create((error) => errors.push(error), 30)
      open.push({ close: () => hasty.close(0) })
      const { state, chunks } = flood(Infinity)
      const over = latch<void>()
      hasty.route('GET', '/flood', (exchange) => void exchange.stream(200, [], chunks()).then(() => over.open()))
      const client = await Client.connect(await hasty.listen(HOST, 0))
      open.push(client)
      client.pause()
      await client.write(request('GET', '/flood'))
      await state.ended.reached
      await over.reached
      expect(errors).toEqual([])
      const startMs = performance.now()
      await hasty.close(60_000)
      expect(performance.now() - startMs).toBeLessThan(30_000)
    })

    it('does not begin the pieces when the exchange is done, and refuses a line break in a header', async () => {
      const begun = vi.fn<() => void>()
      async function* watched(): AsyncGenerator<Uint8Array> {
        begun()
        yield bytes('x')
      }
      transport.route('GET', '/done', (exchange) => {
        exchange.send(200, [], 'sent')
        void exchange.stream(200, [], watched())
      })
      transport.route('GET', '/split', (exchange) => {
        void exchange.stream(200, ['location', 'x\r\nset-cookie: a=b'], pieces('x'))
      })
      const client = await connect()
      expect(await client.get('/done')).toMatchObject({ body: 'sent' })
      const split = await client.get('/split')
      expect(split.status).toBe(500)
      expect(split.headers).not.toHaveProperty('set-cookie')
      expect(errors).toHaveLength(1)
      expect(begun).not.toHaveBeenCalled()
    })

    it('is waited for by close, and cut after drainMs', async () => {
      const go = latch<void>()
      async function* slow(): AsyncGenerator<Uint8Array> {
        yield bytes('first')
        await go.reached
        yield bytes('second')
      }
      const { state, chunks } = flood(Infinity)
      transport.route('GET', '/slow', (exchange) => void exchange.stream(200, [], slow()))
      transport.route('GET', '/flood', (exchange) => void exchange.stream(200, [], chunks()))
      const client = await connect()
      await client.write(request('GET', '/slow'))
      await client.take(1)
      const stuck = await connect()
      stuck.pause()
      await stuck.write(request('GET', '/flood'))
      const closed = transport.close(500)
      go.open()
      await closed
      expect(await client.rest()).toMatch(/5\r\nfirst\r\n6\r\nsecond\r\n0\r\n\r\n$/)
      await state.ended.reached
      expect(errors).toEqual([])
    })
  })

  describe('a handler that throws', () => {
    const internalError = {
      type: 'urn:penstock:problem:internal_error',
      title: 'Internal error',
      status: 500,
      code: 'internal_error',
    }

    it('answers 500 as a problem, reports the error, and the server lives on', async () => {
      const bug = new Error('bug')
      transport.route('GET', '/throw', () => {
        throw bug
      })
      const client = await connect()
      const answer = await client.get('/throw')
      expect(answer).toMatchObject({ status: 500, headers: { 'content-type': 'application/problem+json' } })
      expect(JSON.parse(answer.body)).toMatchObject(internalError)
      expect(answer.body).not.toContain('bug')
      expect(errors).toEqual([bug])
      expect(await client.get('/hello')).toMatchObject({ status: 200 })
    })

    it.each([
      ['at once', ['ab']],
      ['in pieces', ['a', 'b']],
    ])('may do so when the body comes %s', async (_how, parts) => {
      const bug = new Error('bug')
      transport.route('POST', '/throw', (exchange) => {
        exchange.readBody(BODY_BYTES_MAX, () => {
          throw bug
        })
      })
      const client = await connect()
      await client.write(request('POST', '/throw', ['Content-Length: 2']), ...parts)
      expect(JSON.parse((await client.answer()).body)).toMatchObject(internalError)
      expect(errors).toEqual([bug])
      expect(await client.get('/hello')).toMatchObject({ status: 200 })
    })

    it('cannot answer twice', async () => {
      transport.route('GET', '/throw', (exchange) => {
        exchange.send(200, [], 'done')
        throw new Error('bug')
      })
      const client = await connect()
      expect(await client.get('/throw')).toMatchObject({ status: 200, body: 'done' })
      expect(errors).toHaveLength(1)
      expect(await client.get('/hello')).toMatchObject({ status: 200 })
    })

    it('gets no line break into a header', async () => {
      transport.route('GET', '/split', (exchange) => exchange.send(200, ['location', 'x\r\nset-cookie: a=b'], ''))
      const client = await connect()
      const answer = await client.get('/split')
      expect(answer.status).toBe(500)
      expect(answer.headers).not.toHaveProperty('set-cookie')
      expect(errors).toHaveLength(1)
    })
  })

  describe('connections', () => {
    it('serve many requests one after the other', async () => {
      const client = await connect()
      for (let round = 0; round < 20; round++) {
        expect(await client.get('/hello')).toMatchObject({ body: 'hello' })
        expect(await client.post('/echo', `round ${round}`)).toMatchObject({ body: `round ${round}` })
      }
    })

    it('answer requests that came in one packet, in order', async () => {
      transport.route('GET', '/number/:n', (exchange) => exchange.send(200, [], exchange.param(0)))
      const client = await connect()
      await client.write([1, 2, 3].map((number) => request('GET', `/number/${number}`)).join(''))
      for (const body of ['1', '2', '3']) expect(await client.answer()).toMatchObject({ status: 200, body })
    })

    it('close when the client asks for it', async () => {
      const client = await connect()
      await client.write(request('GET', '/hello', ['Connection: close']))
      expect(await client.rest()).toMatch(/^HTTP\/1\.1 200 OK\r\n.*hello$/s)
    })

    it('work with fetch', async () => {
      const response = await fetch(`http://${HOST}:${port}/echo`, { method: 'POST', body: 'Größe' })
      expect([response.status, await response.text()]).toEqual([200, 'Größe'])
    })
  })

  describe('listen', () => {
    it('shares a port with another transport', async () => {
      const other = create(() => {})
      open.push({ close: () => other.close(0) })
      other.route('GET', '/hello', (exchange) => exchange.send(200, [], 'other'))
      expect(await other.listen(HOST, port)).toBe(port)
      const seen = new Set<string>()
      // The kernel spreads connections evenly: all 200 on one side has a chance of 2 ** -199.
      for (let tries = 0; tries < 200 && seen.size < 2; tries++) {
        const client = await connect()
        seen.add((await client.get('/hello')).body)
        client.close()
      }
      expect([...seen].sort()).toEqual(['hello', 'other'])
      await other.close(0)
    })

    it('rejects with the address and the reason when the port is taken', async () => {
      const taken = net.createServer()
      open.push(taken)
      await once(taken.listen(0, HOST), 'listening')
      const address = taken.address()
      const takenPort = address !== null && typeof address === 'object' ? address.port : 0
      const other = create(() => {})
      await expect(other.listen(HOST, takenPort)).rejects.toThrow(
        new RegExp(`^cannot listen on ${HOST}:${takenPort}: .*EADDRINUSE`),
      )
      await other.close(0)
    })
  })

  describe('close', () => {
    it('answers what is in flight, refuses new connections and closes idle ones', async () => {
      const entered = latch<HttpExchange>()
      transport.route('GET', '/slow', (exchange) => entered.open(exchange))
      const idle = await connect()
      await idle.get('/hello')
      const silent = await connect()
      const busy = await connect()
      await busy.write(request('GET', '/slow'))
      const exchange = await entered.reached

      const closed = transport.close(10_000)
      await expect(Client.connect(port)).rejects.toThrow('ECONNREFUSED')
      exchange.send(200, [], 'in time')
      expect(await busy.answer()).toMatchObject({ status: 200, headers: { connection: 'close' }, body: 'in time' })
      expect(await Promise.all([busy.rest(), idle.rest(), silent.rest()])).toEqual(['', '', ''])
      await closed
    })

    it('answers a request that was on its way, and closes with the answer', async () => {
      const idle = await connect()
      await idle.get('/hello')
      const closed = transport.close(10_000)
      expect(await idle.get('/hello')).toMatchObject({ status: 200, headers: { connection: 'close' }, body: 'hello' })
      expect(await idle.rest()).toBe('')
      await closed
    })

    it('tells the client to close with an answer that has no body', async () => {
      transport.route('GET', '/fresh', (exchange) => exchange.send(304, [], ''))
      const idle = await connect()
      await idle.get('/hello')
      const closed = transport.close(10_000)
      expect(await idle.get('/fresh')).toMatchObject({ status: 304, headers: { connection: 'close' } })
      expect(await idle.rest()).toBe('')
      await closed
    })

    it('waits for a body that is still coming', async () => {
      const client = await connect()
      await client.write(request('POST', '/echo', ['Content-Length: 6']), 'abc')
      await nextTurn()
      const closed = transport.close(10_000)
      await client.write('def')
      expect(await client.answer()).toMatchObject({ status: 200, body: 'abcdef' })
      await closed
    })

    it('resolves at once when nothing is connected', async () => {
      const client = await connect()
      await client.get('/hello')
      client.close()
      const startMs = performance.now()
      await transport.close(60_000)
      expect(performance.now() - startMs).toBeLessThan(10_000)
    })

    it('waits no longer than drainMs, and then cuts what is left', async () => {
      const entered = latch<HttpExchange>()
      transport.route('GET', '/stuck', (exchange) => entered.open(exchange))
      const client = await connect()
      await client.write(request('GET', '/stuck'))
      const exchange = await entered.reached
      const startMs = performance.now()
      await transport.close(50)
      expect(performance.now() - startMs).toBeLessThan(5_000)
      expect(await client.rest()).toBe('')
      await vi.waitFor(() => expect(exchange.done).toBe(true), { interval: 1 })
      exchange.send(200, [], 'too late')
    })

    it('may be called twice, and before listen', async () => {
      await Promise.all([transport.close(0), transport.close(0)])
      await create(() => {}).close(0)
    })
  })
})

describe.runIf('library' in loaded)('UwsTransport', () => {
  it('route refuses a literal that uWebSockets.js would try after :name', async () => {
    if ('reason' in loaded) return
    const transport = new UwsTransport(loaded.library, () => {})
    const ignore = () => {}
    transport.route('GET', '/a/:x', ignore)
    transport.route('GET', '/:x/1', ignore)
    transport.route('POST', '/a/1', ignore)
    expect(() => transport.route('GET', '/a/1', ignore)).toThrow('would prefer :name to the literal 1 beside it')
    expect(() => transport.route('GET', '/.well-known', ignore)).toThrow('literal .well-known')
    expect(() => transport.route('BREW', '/a', ignore)).toThrow('no route can have the method BREW')
    await transport.close(0)
  })
})
