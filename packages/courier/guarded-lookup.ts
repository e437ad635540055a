import { lookup } from 'node:dns'
import { isPublicAddress } from '@penstock/domain/webhook-url.ts'
import type { LookupAddress, LookupAllOptions, LookupOptions } from 'node:dns'
import type { LookupFunction } from 'node:net'

/** A name, or the URL itself, leads to an address inside this network. */
export class AddressRefused extends Error {
  readonly code = 'address_refused'
  constructor(host: string, address: string) {
    super(`${host} leads to ${address}, which is not public`)
    this.name = 'AddressRefused'
  }
}

type Answered = (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void
type Resolve = (host: string, options: LookupAllOptions, answered: Answered) => void

/**
 * Looks names up for connections, and refuses a name of which any address is not public. The addresses that were looked at
 * are those that are connected to: a second answer of the name server (DNS rebinding) is never asked for.
 *
 * One question a name at a time: Node asks on its few threads, and sixteen requests to a name whose server is silent
 * would keep all other names waiting.
 */
export function guardedLookup(
  isAllowed: (address: string) => boolean = isPublicAddress,
  resolve: Resolve = lookup,
): LookupFunction {
  const waiting = new Map<string, Answered[]>()
  const ask = (host: string, options: LookupOptions, answered: Answered): void => {
    const key = `${host} ${options.family} ${options.hints}`
    const others = waiting.get(key)
    if (others !== undefined) {
      others.push(answered)
      return
    }
    waiting.set(key, [answered])
    resolve(host, { ...options, all: true }, (error, addresses) => {
      const asked = waiting.get(key) ?? []
      waiting.delete(key)
      for (const each of asked) each(error, addresses)
    })
  }
  return (host, options, callback) => {
    ask(host, options, (error, addresses) => {
      if (error !== null) return callback(error, '')
      const refused = addresses.find(({ address }) => !isAllowed(address))
      const [first] = addresses
      if (refused !== undefined) return callback(new AddressRefused(host, refused.address), '')
      if (first === undefined) return callback(new Error(`${host} has no address`), '')
      if (options.all === true) callback(null, addresses)
      else callback(null, first.address, first.family)
    })
  }
}
