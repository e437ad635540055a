import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * Throws when somebody listens on `port` already. The HTTP processes share their port (SO_REUSEPORT), and so would
 * those of a second box: each would get half of the other's requests. This asks without sharing. Port 0 is always free.
 */
export async function checkPortIsFree(host: string, port: number): Promise<void> {
  const probe = createServer()
  probe.listen({ host, port, exclusive: true })
  try {
    await once(probe, 'listening')
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    const advice = `stop what runs there, or choose another port with --port or PENSTOCK_PORT`
    throw new Error(`cannot listen on ${host}:${port}: ${reason}; ${advice}`, { cause })
  }
  probe.close()
  await once(probe, 'close')
}
