import { openApi, serverNotes, serverOptions } from '../api-client.ts'
import { showText, showTime } from '../amount.ts'
import { exitCodes, usageError } from '../exit-code.ts'
import { limitOf, limitOption, printList, wholeOf } from './list.ts'
import { printSecret } from './secret.ts'
import type { Json } from '../api-client.ts'
import type { Argument, Call, Command, Context } from '../command.ts'
import type { Column } from '../output.ts'

/** Seconds an old secret may still sign along after a rotation. */
const overlapMax = 604_800
const endpointArgument: Argument = { usage: '<id>', summary: 'whe_...' }
const eventIdSample = 'evt_42'

function endpointPath(call: Call): string {
  return `/v1/webhook_endpoints/${encodeURIComponent(call.args[0] ?? '')}`
}

export const webhookCreate: Command = {
  name: 'webhook create',
  summary: 'have events sent to a URL; the secret that signs them is shown once',
  args: [{ usage: '<url>', summary: 'where to; https on a live box' }],
  options: [
    { flags: '--events <list>', summary: 'types such as payment.captured,order.fulfilled; all when absent' },
    { flags: '--description <text>', summary: 'what it is for' },
    ...serverOptions,
  ],
  notes: serverNotes,
  run: async (call, context) => {
    const [url = ''] = call.args
    const description = call.text('description')
    const endpoint = await openApi(call, context).post('/v1/webhook_endpoints', {
      url,
      events: (call.text('events') ?? '*').split(',').map((type) => type.trim()),
      ...(description === undefined ? {} : { description }),
    })
    printWithSecret(endpoint, call.json, context)
    return exitCodes.done
  },
}

export const webhookList: Command = {
  name: 'webhook list',
  summary: 'show the webhook endpoints, the oldest first; never their secrets',
  options: serverOptions,
  notes: serverNotes,
  run: async (call, context) => {
    const { data } = await openApi(call, context).get('/v1/webhook_endpoints')
    const columns: Column<Json>[] = [
      { title: 'id', value: (endpoint) => String(endpoint['id']) },
      { title: 'status', value: (endpoint) => statusOf(endpoint) },
      { title: 'failing since', value: (endpoint) => showTime(endpoint['failing_since']) },
      { title: 'replay', value: (endpoint) => showReplay(endpoint) },
      { title: 'events', value: (endpoint) => (endpoint['events'] as string[]).join(',') },
      { title: 'url', value: (endpoint) => String(endpoint['url']) },
      { title: 'description', value: (endpoint) => showText(endpoint['description']) },
    ]
    printList({ data: data as Json[], hasMore: false }, columns, call, context)
    return exitCodes.done
  },
}

export const webhookRotate: Command = {
  name: 'webhook rotate',
  summary: 'give an endpoint a new secret; the old one signs along for a while',
  args: [endpointArgument],
  options: [
    { flags: '--overlap <seconds>', summary: `how long the old one signs along, 0 to ${overlapMax} (86400)` },
    ...serverOptions,
  ],
  notes: serverNotes,
  run: async (call, context) => {
    const overlap = wholeOf(call, 'overlap', { min: 0, max: overlapMax })
    const body = overlap === undefined ? {} : { overlap }
    const endpoint = await openApi(call, context).post(`${endpointPath(call)}/rotate_secret`, body)
    printWithSecret(endpoint, call.json, context)
    return exitCodes.done
  },
}

function switching(word: 'enable' | 'disable', summary: string): Command {
  return {
    name: `webhook ${word}`,
    summary,
    args: [endpointArgument],
    options: serverOptions,
    notes: serverNotes,
    run: async (call, context) => {
      const endpoint = await openApi(call, context).patch(endpointPath(call), { status: `${word}d` })
      printEndpoint(endpoint, call.json, context)
      return exitCodes.done
    },
  }
}

export const webhookDisable = switching('disable', 'send nothing to an endpoint for now; it misses nothing')
export const webhookEnable = switching('enable', 'send to an endpoint again, all that it has missed first')

export const webhookDelete: Command = {
  name: 'webhook delete',
  summary: 'end a webhook endpoint for good; its deliveries stay',
  args: [endpointArgument],
  options: serverOptions,
  notes: serverNotes,
  run: async (call, context) => {
    const deleted = await openApi(call, context).delete(endpointPath(call))
    if (call.json) context.output.json(deleted)
    else context.output.line(`${String(deleted['id'])} was deleted`)
    return exitCodes.done
  },
}

/** Options of `webhook deliveries`, which are its query parameters too. */
const filters = ['endpoint', 'event', 'status'] as const

export const webhookDeliveries: Command = {
  name: 'webhook deliveries',
  summary: 'show what was sent to endpoints and what became of it, the newest first',
  options: [
    { flags: '--endpoint <id>', summary: 'only to this endpoint' },
    { flags: '--event <id>', summary: 'only of this event' },
    { flags: '--status <status>', summary: 'only with this status: pending, succeeded or failed' },
    limitOption,
    ...serverOptions,
  ],
  notes: serverNotes,
  run: async (call, context) => {
    const query = new URLSearchParams()
    for (const name of filters) {
      const value = call.text(name)
      if (value !== undefined) query.set(name, value)
    }
    const found = await openApi(call, context).list('/v1/webhook_deliveries', query, limitOf(call))
    const columns: Column<Json>[] = [
      { title: 'id', value: (delivery) => String(delivery['id']) },
      { title: 'status', value: (delivery) => String(delivery['status']) },
      { title: 'failures', value: (delivery) => Number(delivery['failures']), isNumber: true },
      { title: 'next attempt', value: (delivery) => showTime(delivery['next_attempt_at']) },
      { title: 'last answer', value: (delivery) => showLastAttempt(delivery) },
      { title: 'event', value: (delivery) => String(delivery['event']) },
      { title: 'type', value: (delivery) => String(delivery['type']) },
      { title: 'endpoint', value: (delivery) => String(delivery['endpoint']) },
    ]
    printList(found, columns, call, context)
    return exitCodes.done
  },
}

export const webhookRetry: Command = {
  name: 'webhook retry',
  summary: 'try a delivery again at once, also one that was given up',
  args: [{ usage: '<id>', summary: 'whd_...' }],
  options: serverOptions,
  notes: serverNotes,
  run: async (call, context) => {
    const [id = ''] = call.args
    const path = `/v1/webhook_deliveries/${encodeURIComponent(id)}/retry`
    const delivery = await openApi(call, context).post(path)
    if (call.json) context.output.json(delivery)
    else {
      const { id: deliveryId, status, event, endpoint } = delivery
      context.output.line(`${String(deliveryId)}  ${String(status)}  ${String(event)} to ${String(endpoint)}`)
    }
    return exitCodes.done
  },
}

export const webhookReplay: Command = {
  name: 'webhook replay',
  summary: 'send the events of a range to an endpoint again',
  args: [endpointArgument],
  options: [
    { flags: '--from <bound>', summary: `the first: an event (${eventIdSample}) or a time in Unix seconds` },
    { flags: '--to <bound>', summary: 'the last, likewise; the last there is when absent' },
    ...serverOptions,
  ],
  notes: serverNotes,
  run: async (call, context) => {
    const [from, to] = [boundOf(call, 'from'), boundOf(call, 'to')]
    if (from === undefined) throw usageError(`--from is missing: an event such as ${eventIdSample}, or Unix seconds`)
    const body = to === undefined ? { from } : { from, to }
    const endpoint = await openApi(call, context).post(`${endpointPath(call)}/replay`, body)
    printEndpoint(endpoint, call.json, context)
    return exitCodes.done
  },
}

/** An id as text, a time as number, as the API takes them. */
function boundOf(call: Call, name: string): string | number | undefined {
  const text = call.text(name)
  return text !== undefined && /^\d{1,12}$/.test(text) ? Number(text) : text
}

function statusOf(endpoint: Json): string {
  const reason = endpoint['disabled_reason']
  return typeof reason === 'string' ? `${String(endpoint['status'])} (${reason})` : String(endpoint['status'])
}

function showReplay(endpoint: Json): string {
  const replay = endpoint['replay'] as Json | null
  return replay === null ? '-' : `${String(replay['next'])} to ${String(replay['to'])}`
}

/** The status of HTTP, or why there was none. */
function showLastAttempt(delivery: Json): string {
  const last = (delivery['attempts'] as Json[]).at(-1)
  if (last === undefined) return '-'
  return showText(last['status'] ?? last['fault'])
}

function printEndpoint(endpoint: Json, json: boolean, { output }: Context): void {
  if (json) {
    output.json(endpoint)
    return
  }
  const replay = endpoint['replay'] === null ? '' : `  replays ${showReplay(endpoint)}`
  output.line(`${String(endpoint['id'])}  ${statusOf(endpoint)}  ${String(endpoint['url'])}${replay}`)
}

function printWithSecret(endpoint: Json, json: boolean, context: Context): void {
  printEndpoint(endpoint, json, context)
  if (!json) printSecret(endpoint, `penstock webhook rotate ${String(endpoint['id'])} makes another.`, context)
}
