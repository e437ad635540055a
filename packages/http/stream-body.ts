/** The open response that a body is streamed into: what a transport gives to `streamBody`. */
export interface BodySink {
  /** The client is gone: nothing may be written any more. */
  readonly isClosed: boolean
  /** Writes the head with the first bytes. False: `whenWritable` before the next. */
  write(bytes: Uint8Array): boolean
  /** Calls back once, when more may be written or the client is gone. */
  whenWritable(callback: () => void): void
  /** The body is complete. */
  end(): void
  /** Closes the connection before the body is complete, which is how its client sees that something is missing. */
  cut(): void
  /** Answers 500 if nothing was written yet; else as `cut`. */
  fail(): void
}

/**
 * Writes `chunks` into `sink`, each once the client has taken those before it. Returns `chunks` early (its finally
 * blocks run) when the client is gone or takes nothing for `stallMs`. Never rejects: what `chunks` throws goes to
 * `onError`.
 */
export async function streamBody(
  chunks: AsyncIterable<Uint8Array>,
  sink: BodySink,
  stallMs: number,
  onError: (error: unknown) => void,
): Promise<void> {
  try {
    for await (const chunk of chunks) {
      if (sink.isClosed) return
      if (chunk.byteLength === 0 || sink.write(chunk)) continue
      if (!(await becomesWritable(sink, stallMs))) return sink.cut()
    }
    if (!sink.isClosed) sink.end()
  } catch (error) {
    if (!sink.isClosed) sink.fail()
    onError(error)
  }
}

function becomesWritable(sink: BodySink, stallMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const stalled = setTimeout(() => resolve(false), stallMs)
    sink.whenWritable(() => {
      clearTimeout(stalled)
      resolve(true)
    })
  })
}
