/**
 * The data of server-sent events, one text an event, as they come. Comments and events without data are passed over. What
 * `body` rejects with is thrown.
 */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<string, void, void> {
  // Not `for await` over the stream: Safari cannot.
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let rest = ''
  try {
    for (;;) {
      const { value, done } = await reader.read()
      if (done) return
      rest += decoder.decode(value, { stream: true })
      const blocks = rest.split(/\r?\n\r?\n/)
      rest = blocks.pop() ?? ''
      for (const block of blocks) {
        const data = dataOf(block)
        if (data !== null) yield data
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}

function dataOf(block: string): string | null {
  const lines = block.split(/\r?\n/).flatMap((line) => /^data:(?: )?(.*)$/.exec(line)?.[1] ?? [])
  return lines.length === 0 ? null : lines.join('\n')
}
