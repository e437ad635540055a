import { once } from 'node:events'
import { createServer } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { Autocannon } from './autocannon.ts'
import { singleStep } from './plan.ts'
import type { RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { LoadResult } from './generator.ts'

const request = (path: string) => ({ method: 'GET', path, headers: {}, body: null }) as const
const step = { name: 'read', template: request('/'), tokens: null, expects: '2xx', rows: {} } as const

/** Two connections for 200 ms. Parked requests are refused after 50 ms. */
async function run(listener: RequestListener): Promise<LoadResult> {
  const server = createServer((asked, response) => {
    if (asked.url === '/parking') setTimeout(() => response.writeHead(503).end(), 50)
    else listener(asked, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const plan = singleStep(step, request('/parking'))
  const load = { url: `http://127.0.0.1:${port}`, plan, connections: 2, durationMs: 200 }
  return new Autocannon('', 1).run(load, { onStarted: () => undefined, signal: new AbortController().signal })
}

test('Autocannon waits for every answer while parked requests are answered, which it does not count', async () => {
  let asked = 0
  const result = await run((_request, response) => {
    asked += 1
    setTimeout(() => response.end(), asked === 2 ? 600 : 20)
  })
  expect(result).toMatchObject({ ok: asked, refused: 0, errors: 0 })
  expect(result.elapsedMs).toBeGreaterThan(600)
})

test('Autocannon counts requests whose connection was closed without an answer', async () => {
  let asked = 0
  const result = await run(({ socket }, response) => {
    asked += 1
    if (asked === 2) socket.end()
    else setTimeout(() => response.end(), 20)
  })
  expect(result).toMatchObject({ ok: asked - 1, refused: 0, errors: 1 })
})
