import { openApi, serverNotes, serverOptions } from '../api-client.ts'
import { exitCodes } from '../exit-code.ts'
import type { Command } from '../command.ts'

export const customerErase: Command = {
  name: 'customer erase',
  summary: 'remove who a customer is from all holds and orders, for good',
  args: [{ usage: '<email>', summary: 'as it was given with the holds' }],
  options: serverOptions,
  notes: `${serverNotes}\nWhat remains, and why: docs/operations.md. Repeating it is harmless.`,
  run: async (call, context) => {
    const [email = ''] = call.args
    const api = openApi(call, context)
    let erased = 0
    for (let after: unknown = null; ;) {
      const step = await api.post('/v1/customer_erasures', { email, starting_after: after })
      erased += Number(step['erased'])
      if (step['has_more'] !== true) break
      after = step['scanned_to']
    }
    if (call.json) context.output.json({ object: 'customer_erasure', erased })
    else context.output.line(`erased the customer of ${erased} holds and of their orders`)
    return exitCodes.done
  },
}
