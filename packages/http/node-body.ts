import { INTERNAL_ERROR } from './internal-error.ts'
import type { ServerResponse } from 'node:http'
import type { BodySink } from './stream-body.ts'

/** A chunked body on node:http. */
export class NodeBody implements BodySink {
  readonly #res: ServerResponse
  readonly #status: number
  readonly #head: readonly string[]

  /** `head`: names and values by turns. */
  constructor(res: ServerResponse, status: number, head: readonly string[]) {
    this.#res = res
    this.#status = status
    this.#head = head
  }

  get isClosed(): boolean {
    return this.#res.destroyed
  }

  write(bytes: Uint8Array): boolean {
    this.#writeHead()
    return this.#res.write(bytes)
  }

  whenWritable(callback: () => void): void {
    if (this.isClosed) return callback()
    const once = (): void => {
      this.#res.off('drain', once).off('close', once)
      callback()
    }
    this.#res.on('drain', once).on('close', once)
  }

  end(): void {
    this.#writeHead()
    this.#res.end()
  }

  cut(): void {
    this.#res.destroy()
  }

  fail(): void {
    if (this.#res.headersSent) return this.cut()
    const { status, headers, body } = INTERNAL_ERROR
    this.#res.writeHead(status, [...headers, 'content-length', String(Buffer.byteLength(body))])
    this.#res.end(body)
  }

  #writeHead(): void {
    if (!this.#res.headersSent) this.#res.writeHead(this.#status, [...this.#head])
  }
}
