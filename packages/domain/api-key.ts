/** What scopes name: one word for all routes about a thing. */
export const resources = [
  'drops',
  'holds',
  'payments',
  'refunds',
  'disputes',
  'orders',
  'ledger',
  'api_keys',
  'events',
  'codes',
  'webhooks',
] as const

export type Resource = (typeof resources)[number]

/** `*` is everything, also what later releases add. Any other scope is exactly what it says: write is not read. */
export type Scope = '*' | `${Resource}:${'read' | 'write'}`

export const scopes: readonly Scope[] = [
  '*',
  ...resources.flatMap((resource): Scope[] => [`${resource}:read`, `${resource}:write`]),
]

/** `secret` keys are the seller's; `publishable` keys live in browsers. */
export type ApiKeyKind = 'secret' | 'publishable'

/**
 * A key to the API. Who has the clear text may do what the scopes say, until the key expires or is revoked. Kind, name,
 * scopes and hash never change; a key never becomes usable again.
 */
export interface ApiKey {
  readonly id: string
  readonly kind: ApiKeyKind
  readonly name: string | null
  /** Of a secret key at least one. Empty for publishable keys: what they may do is fixed. */
  readonly scopes: readonly Scope[]
  /** SHA-256 of the clear text, hexadecimal. The clear text is kept nowhere. */
  readonly secretHash: string
  /** What people recognise the key by: `sk_test_…` and its last four characters. */
  readonly hint: string
  readonly createdMs: number
  /** From this moment on the key is refused. */
  readonly expiresMs: number | null
  readonly revokedMs: number | null
  /** Behind the truth by about a minute (`keyUseIntervalMs`); null when it was never used. */
  readonly lastUsedMs: number | null
}

/** That a key was used. */
export interface ApiKeyUse {
  readonly apiKeyId: string
  readonly usedMs: number
}

export function isUsable(apiKey: Pick<ApiKey, 'expiresMs' | 'revokedMs'>, nowMs: number): boolean {
  return apiKey.revokedMs === null && !isExpired(apiKey, nowMs)
}

export function isExpired({ expiresMs }: Pick<ApiKey, 'expiresMs'>, nowMs: number): boolean {
  return expiresMs !== null && expiresMs <= nowMs
}

export function allows(granted: readonly Scope[], scope: Scope): boolean {
  return granted.includes(scope) || granted.includes('*')
}

/** The first of `wanted` that `granted` does not allow, or null. */
export function firstMissing(granted: readonly Scope[], wanted: readonly Scope[]): Scope | null {
  return wanted.find((scope) => !allows(granted, scope)) ?? null
}

/** Whether the key can make, roll and revoke keys. One such key must always be left. */
export function managesKeys({ kind, scopes: granted }: Pick<ApiKey, 'kind' | 'scopes'>): boolean {
  return kind === 'secret' && allows(granted, 'api_keys:write')
}

/** `sk_test_…` or `sk_live_…` and the last four characters of a clear text. */
export function secretHint(secret: string): string {
  return `${secret.slice(0, 'sk_test_'.length)}…${secret.slice(-4)}`
}
