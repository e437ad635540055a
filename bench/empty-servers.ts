import { fork } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import { fileURLToPath } from 'node:url'
import type { ChildProcess } from 'node:child_process'

const script = fileURLToPath(new URL('empty-server.ts', import.meta.url))

/** As many empty servers on one port as the box has HTTP processes, so that the comparison is fair. */
export class EmptyServers {
  readonly url: string
  readonly #children: readonly ChildProcess[]

  private constructor(url: string, children: readonly ChildProcess[]) {
    this.url = url
    this.#children = children
  }

  static async start(processes: number): Promise<EmptyServers> {
    const port = await findFreePort()
    const children = Array.from({ length: processes }, () =>
      // Detached: Ctrl-C in the terminal is for the bench, which stops them; so does its end.
      fork(script, [String(port)], { detached: true, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }),
    )
    const servers = new EmptyServers(`http://127.0.0.1:${port}`, children)
    try {
      await Promise.all(children.map((child) => ready(child)))
      return servers
    } catch (error) {
      // One that runs would keep the bench alive.
      await servers.stop()
      throw error
    }
  }

  get pids(): number[] {
    return this.#children.flatMap(({ pid }) => pid ?? [])
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.#children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return
        const ended = once(child, 'exit')
        child.kill('SIGKILL')
        await ended
      }),
    )
  }
}

function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('message', () => resolve())
    child.once('exit', (code) => reject(new Error(`the empty server ended with code ${code}`)))
  })
}

async function findFreePort(): Promise<number> {
  const probe = net.createServer()
  probe.listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (address === null || typeof address === 'string') throw new Error('no free port')
  return address.port
}
