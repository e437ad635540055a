import { lookup } from 'node:dns'
import { isPublicAddress } from '@penstock/domain/webhook-url.ts'
import type { LookupAddress, LookupOptions } from 'node:dns'
import type { LookupFunction } from 'node:net'

/** A name, or the URL itself, leads to an address inside this network. */
export class AddressRefused extends Error {
  readonly code = 'address_refused'
  constructor(host: string, address: string) {
    super(`${host} leads to ${address}, which is not public`)
    this.name = 'AddressRefused'
  }
}

type Resolve = (host: string, options: LookupOptions & { all: true }) => Promise<LookupAddress[]>

/**
 * Looks names up for connections, and refuses a name of which any address is not public. The addresses that were looked at are
 * those that are connected to: a second answer of the name server (DNS rebinding) is never asked for.
 *
 * One question a name at a time: Node asks on its few threads, and sixteen requests to a name whose server is silent
 * would keep all other names waiting.
 */
export function guardedLookup(
  isAllowed: (address: string) => boolean = isPublicAddress,
  resolve: Resolve = systemLookup,
): LookupFunction {
  const asked = new Map<string, Promise<LookupAddress[]>>()
  const ask = (host: string, options: LookupOptions): Promise<LookupAddress[]> => {
    const key = `${host} ${options.family} ${options.hints}`
    const known = asked.get(key)
    if (known !== undefined) return known
    const answer = resolve(host, { ...options, all: true }).finally(() => asked.delete(key))
    asked.set(key, answer)
    return answer
  }
  return (host, options, callback) => {
    ask(host, options).then(
      (addresses) => {
        const refused = addresses.find(({ address }) => !isAllowed(address))
        const [first] = addresses
        if (refused !== undefined) return callback(new AddressRefused(host, refused.address), '')
        if (first === undefined) return callback(new Error(`${host} has no address`), '')
        if (options.all === true) callback(null, addresses)
        else callback(null, first.address, first.family)
      },
      (error: NodeJS.ErrnoException) => callback(error, ''),
    )
  }
}

const systemLookup: Resolve = (host, options) =>
  new Promise((done, fail) => {
    lookup(host, options, (error, addresses) => (error === null ? done(addresses) : fail(error)))
  })
