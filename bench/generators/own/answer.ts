/** Where the first answer in some bytes ends, and what it says. */
export interface Answer {
  readonly status: number
  /** Bytes of head and body. */
  readonly length: number
}

const headEndMark = '\r\n\r\n'
/** A server that sends more before its first empty line is not one of ours. */
const headBytesMax = 16_384

/**
 * Reads the answer that `bytes` begins with, as far as a load generator needs: HTTP/1.1 with a Content-Length, or
 * without any body. Null while something is missing. Throws for what is not such an answer.
 */
export function readAnswer(bytes: Buffer): Answer | null {
  const headEnd = bytes.indexOf(headEndMark)
  if (headEnd < 0) {
    if (bytes.length > headBytesMax) throw new Error(`no end of the head within ${headBytesMax} bytes`)
    return null
  }
  const head = bytes.toString('latin1', 0, headEnd)
  const status = Number(head.slice(9, 12))
  if (!head.startsWith('HTTP/1.1 ') || !(status >= 200 && status < 600)) {
    throw new Error(`not an answer: ${head.slice(0, 60)}`)
  }
  const body = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0)
  if (body === 0 && /\r\ntransfer-encoding:/i.test(head)) throw new Error('an answer in chunks is not understood')
  const length = headEnd + headEndMark.length + body
  return bytes.length < length ? null : { status, length }
}

/** The `id` of the object in the body: `{"id":"hold_..."` or the first `"id":` that there is. Null: none. */
export function readId(answer: string): string | null {
  return /"id": ?"?([\w-]+)/.exec(answer)?.[1] ?? null
}
