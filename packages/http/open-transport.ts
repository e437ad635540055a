import { loadUws } from './load-uws.ts'
import { NodeTransport } from './node-http.ts'
import { UwsTransport } from './uws.ts'
import type { Settings } from '@penstock/domain/settings.ts'
import type { HttpTransport } from './transport.ts'

/**
 * The transport this machine can run: uWebSockets.js, or node:http with a loud line that says why. Throws when
 * uWebSockets.js was asked for by name and cannot load.
 */
export function openTransport(
  wanted: Settings['transport'],
  cacheFolder: string,
  log: (message: string, error?: unknown) => void,
): HttpTransport {
  const onError = (error: unknown): void => log('a request failed', error)
  if (wanted === 'node') return new NodeTransport(onError)
  const loaded = loadUws({ cacheFolder })
  if ('library' in loaded) return new UwsTransport(loaded.library, onError)
  if (wanted === 'uws') throw new Error(`PENSTOCK_TRANSPORT is uws, but ${loaded.reason}`)
  log(`WARNING: serving with node:http, which is several times slower: ${loaded.reason}`)
  return new NodeTransport(onError)
}
