type WebCrypto = typeof crypto

/** Web Crypto: global everywhere but in Node.js 18, which has it as a module. */
export async function webCrypto(): Promise<WebCrypto> {
  const { crypto: own } = globalThis as { crypto?: WebCrypto }
  if (own !== undefined) return own
  // Bundlers for browsers must leave this alone; the catch tells esbuild that it may be missing.
  const module = await import(/* webpackIgnore: true */ /* @vite-ignore */ 'node:crypto').catch(() => null)
  if (module === null) throw new TypeError('@penstock/sdk needs Web Crypto (globalThis.crypto)')
  return module.webcrypto
}

/**
 * A fresh Idempotency-Key of 128 random bits. Not crypto.randomUUID, which browsers hide from pages that came over
 * plain HTTP.
 */
export async function mintIdempotencyKey(): Promise<string> {
  const bytes = (await webCrypto()).getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
