import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { LoadLoop } from './load-loop.ts'
import type { RequestListener, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { WorkerOrder, WorkerTally } from './load-loop.ts'
import type { StepOrder } from './request-source.ts'

const ok: RequestListener = (_request, response) => void response.end('{"id":"a"}')
const pieces = ['GET /', ' HTTP/1.1\r\nHost: a\r\n\r\n']
const common = { name: 'read', pieces, expects: '2xx', keepsId: false } as const

async function run(listener: RequestListener, order: Partial<WorkerOrder>): Promise<WorkerTally> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => closeNow(server))
  const { port } = server.address() as AddressInfo
  return new Promise((resolve, reject) => {
    const alone = { worker: 0, workers: 1, order: [0], steps: [], connections: 2, durationMs: 400, perSecond: null }
    const loop = new LoadLoop({ host: '127.0.0.1', port, ...alone, ...order }, resolve)
    loop.connect().then(() => loop.start(), reject)
  })
}

function closeNow(server: Server): void {
  server.close()
  server.closeAllConnections()
}

function tokensOf(list: readonly string[]): StepOrder['tokens'] {
  const folder = mkdtempSync(join(tmpdir(), 'penstock-bench-loop-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'tokens')
  writeFileSync(file, list.join('\0'))
  return { kind: 'file', file, again: false }
}

test('LoadLoop in an open loop ends when its tokens are used up', async () => {
  const steps = [{ ...common, tokens: tokensOf(['a', 'b', 'c']) }]
  const tally = await run(ok, { steps, perSecond: 100 })
  expect(tally).toMatchObject({ ok: [3], errors: 0, ranOut: true, planned: 40, unsent: 0 })
})

test('LoadLoop counts requests without an answer, and not connections that could not be opened again', async () => {
  const tally = await run(
    function (this: Server, { socket }) {
      this.close()
      socket.destroy()
    },
    { steps: [{ ...common, tokens: { kind: 'none' } }], connections: 1, perSecond: 100 },
  )
  expect(tally).toMatchObject({ ok: [0], errors: 1, failedConnects: 1 })
})

test('LoadLoop in a closed loop lets a connection without a token go on when an answer brings one', async () => {
  const seen = new Set<unknown>()
  const steps = [{ ...common, keepsId: true, tokens: { kind: 'answered', seed: ['a'] } } as const]
  // The first answer brings one token, for two connections.
  const tally = await run(
    (request, response) => {
      seen.add(request.socket)
      ok(request, response)
    },
    { steps },
  )
  expect(tally.ok[0]).toBeGreaterThan(10)
  expect(seen.size).toBe(2)
})
