import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Sale } from '../sale.ts'
import type { ChildProcess } from 'node:child_process'

const startMsMax = 20_000
export const schemaPath = fileURLToPath(new URL('schema.sql', import.meta.url))

/** A peer's program. It prints `{"port":N}` when it listens, and ends when its standard input is closed. */
export class PeerProcess {
  readonly port: number
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.port = port
  }

  static async start(file: string, args: readonly string[], environment: Record<string, string>): Promise<PeerProcess> {
    const child = spawn(file, args, {
      // Detached: Ctrl-C is for the bench, which ends it.
      detached: true,
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, NODE_ENV: 'production', PEER_SCHEMA: schemaPath, ...environment },
    })
    const port = new Promise<number>((resolve, reject) => {
      createInterface({ input: child.stdout }).once('line', (line) => {
        resolve((JSON.parse(line) as { port: number }).port)
      })
      child.once('error', reject)
      child.once('exit', (code) => reject(new Error(`${file} ${args.join(' ')} ended with code ${code}`)))
      setTimeout(() => reject(new Error(`${file} does not listen after ${startMsMax} ms`)), startMsMax).unref()
    })
    try {
      return new PeerProcess(child, await port)
    } catch (error) {
      child.kill('SIGKILL')
      throw error
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  get sale(): Sale {
    return peerSale(this.port)
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
  }
}

/** The sale of schema.sql. Peers look at no keys. */
function peerSale(port: number): Sale {
  return new Sale({
    url: `http://127.0.0.1:${port}`,
    secretKey: 'sk_test_peer_0123456789abcdef',
    publishableKey: 'pk_test_peer_0123456789abcdef',
    dropId: 'drop_peer',
    skuId: 'sku_peer',
    parking: { method: 'GET', path: '/park', headers: {}, body: null },
    webhookSecret: null,
  })
}
