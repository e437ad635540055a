import { openApi, serverNotes, serverOptions } from '../api-client.ts'
import { showText, showTime } from '../amount.ts'
import { exitCodes, usageError } from '../exit-code.ts'
import { limitOf, limitOption, printList, wholeOf } from './list.ts'
import { printSecret } from './secret.ts'
import type { Json } from '../api-client.ts'
import type { Command, Context } from '../command.ts'
import type { Column } from '../output.ts'

/** Seconds an old key may still work after a roll. */
const overlapMax = 604_800
const daysMax = 3_650
const dayMs = 86_400_000

export const keyCreate: Command = {
  name: 'key create',
  summary: 'make an API key; its secret is shown once',
  options: [
    { flags: '--kind <kind>', summary: 'secret (for servers) or publishable (for browsers); secret when absent' },
    { flags: '--name <text>', summary: 'what it is for' },
    {
      flags: '--scopes <list>',
      summary: 'what a secret key may do, such as orders:read,payments:write; * is everything',
    },
    { flags: '--days <number>', summary: 'how long it works; for ever when absent' },
    ...serverOptions,
  ],
  notes: serverNotes,
  run: async (call, context) => {
    const kind = call.text('kind') ?? 'secret'
    if (kind !== 'secret' && kind !== 'publishable') {
      throw usageError(`--kind is "${kind}", expected secret or publishable`)
    }
    const [name, scopes] = [call.text('name'), call.text('scopes')]
    const days = wholeOf(call, 'days', { min: 1, max: daysMax })
    const key = await openApi(call, context).post('/v1/api_keys', {
      kind,
      ...(name === undefined ? {} : { name }),
      ...(scopes === undefined ? {} : { scopes: scopes.split(',').map((scope) => scope.trim()) }),
      ...(days === undefined ? {} : { expires_at: Math.floor((context.clock() + days * dayMs) / 1_000) }),
    })
    printNewKey(key, call.json, context)
    return exitCodes.done
  },
}

export const keyList: Command = {
  name: 'key list',
  summary: 'show the API keys, the newest first; never their secrets',
  options: [limitOption, ...serverOptions],
  notes: serverNotes,
  run: async (call, context) => {
    const api = openApi(call, context)
    const found = await api.list('/v1/api_keys', new URLSearchParams(), limitOf(call))
    const columns: Column<Json>[] = [
      { title: 'id', value: (key) => String(key['id']) },
      { title: 'kind', value: (key) => String(key['kind']) },
      { title: 'hint', value: (key) => showText(key['hint']) },
      { title: 'scopes', value: (key) => ((key['scopes'] ?? []) as string[]).join(',') || '-' },
      { title: 'last used', value: (key) => showTime(key['last_used_at']) },
      { title: 'expires', value: (key) => showTime(key['expires_at']) },
      { title: 'revoked', value: (key) => showTime(key['revoked_at']) },
      { title: 'name', value: (key) => showText(key['name']) },
    ]
    printList(found, columns, call, context)
    return exitCodes.done
  },
}

export const keyRoll: Command = {
  name: 'key roll',
  summary: 'replace an API key; the old one works on for a while',
  args: [{ usage: '<id>', summary: 'key_...' }],
  options: [
    { flags: '--overlap <seconds>', summary: `how long the old one still works, 0 to ${overlapMax} (86400)` },
    ...serverOptions,
  ],
  notes: serverNotes,
  run: async (call, context) => {
    const [id = ''] = call.args
    const overlap = wholeOf(call, 'overlap', { min: 0, max: overlapMax })
    const path = `/v1/api_keys/${encodeURIComponent(id)}/roll`
    const key = await openApi(call, context).post(path, overlap === undefined ? {} : { overlap })
    printNewKey(key, call.json, context)
    return exitCodes.done
  },
}

export const keyRevoke: Command = {
  name: 'key revoke',
  summary: 'end an API key now and for good',
  args: [{ usage: '<id>', summary: 'key_...' }],
  options: serverOptions,
  notes: serverNotes,
  run: async (call, context) => {
    const [id = ''] = call.args
    const key = await openApi(call, context).post(`/v1/api_keys/${encodeURIComponent(id)}/revoke`)
    if (call.json) context.output.json(key)
    else context.output.line(`${String(key['id'])} was revoked ${showTime(key['revoked_at'])}`)
    return exitCodes.done
  },
}

function printNewKey(key: Json, json: boolean, context: Context): void {
  const { output } = context
  if (json) {
    output.json(key)
    return
  }
  output.line(`${String(key['id'])}  ${String(key['kind'])}  ${showText(key['name'])}`)
  printSecret(key, `penstock key roll ${String(key['id'])} makes another key.`, context)
}
