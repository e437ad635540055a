/** The part of uWebSockets.js that the empty server needs. */
export interface EmptyLibrary {
  App(): App
}

interface App {
  get(pattern: string, handler: (res: { end(body: string): unknown }) => void): App
  listen(host: string, port: number, onListening: (socket: unknown) => void): App
}

type Loaded = { readonly library: EmptyLibrary } | { readonly reason: string }

/** uWebSockets.js as the HTTP processes load it. Imported by path: only tests and measurements look into `http`. */
export async function loadLibrary(cacheFolder: string): Promise<EmptyLibrary> {
  const url = new URL('../packages/http/load-uws.ts', import.meta.url)
  const { loadUws } = (await import(url.href)) as { loadUws: (options: { cacheFolder: string }) => Loaded }
  const loaded = loadUws({ cacheFolder })
  if ('reason' in loaded) throw new Error(loaded.reason)
  return loaded.library
}
