import { expect, it } from 'vitest'
import { readEvents } from './drop-events.ts'

async function read(...chunks: readonly string[]): Promise<string[]> {
  const bytes = chunks.map((chunk) => new TextEncoder().encode(chunk))
  const texts: string[] = []
  for await (const text of readEvents(ReadableStream.from(bytes))) texts.push(text)
  return texts
}

it.each<[string, readonly string[], readonly string[]]>([
  ['one event', ['id: 1\nevent: drop\ndata: {"a":1}\n\n'], ['{"a":1}']],
  ['two in a chunk', ['data: 1\n\ndata: 2\n\n'], ['1', '2']],
  ['one in many chunks', ['da', 'ta: {"a"', ':1}\n', '\n'], ['{"a":1}']],
  ['line ends of another system, between chunks too', ['data: 1\r\n\r', '\ndata: 2\r\n\r\n'], ['1', '2']],
  ['data over two lines', ['data: 1\ndata:2\n\n'], ['1\n2']],
  ['comments and events without data', [':\n\n', 'event: drop\n\n', 'data: 1\n\n'], ['1']],
  ['an event that never ended', ['data: 1\n\ndata: 2\n'], ['1']],
  ['nothing', [], []],
])('readEvents reads %s', async (_name, chunks, expected) => {
  expect(await read(...chunks)).toEqual(expected)
})

it('readEvents reads characters that were cut in two', async () => {
  const bytes = new TextEncoder().encode('data: Zwölf 👟\n\n')
  const single = Array.from(bytes, (byte) => Uint8Array.of(byte))
  const texts: string[] = []
  for await (const text of readEvents(ReadableStream.from(single))) texts.push(text)
  expect(texts).toEqual(['Zwölf 👟'])
})
