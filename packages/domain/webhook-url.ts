import { BlockList, isIP } from 'node:net'

/** What a box allows of the URLs it sends to. */
export interface WebhookUrlRules {
  /** Also addresses inside this network: for tests, and for receivers beside the box. */
  readonly allowPrivate: boolean
  readonly httpsOnly: boolean
}

/** Below this a port belongs to some other protocol, but for those of HTTP. */
const portMin = 1_024

/** What is wrong with the URL, as the end of "url ...", or null. Names are looked up when they are connected to, not here. */
export function findUrlFault(text: string, { allowPrivate, httpsOnly }: WebhookUrlRules): string | null {
  const url = URL.parse(text)
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    return 'must be a URL that starts with http:// or https://.'
  }
  if (httpsOnly && url.protocol !== 'https:') return 'must start with https:// in live mode.'
  if (url.username !== '' || url.password !== '') return 'must not have a user name or a password.'
  if (url.hash !== '') return 'must not have a fragment.'
  if (allowPrivate) return null
  if (url.port !== '' && url.port !== '80' && url.port !== '443' && Number(url.port) < portMin) {
    return `must have the port 80, 443 or one from ${portMin}.`
  }
  return isPrivateHost(hostOf(url))
    ? 'must not lead into a private network (PENSTOCK_WEBHOOK_ALLOW_PRIVATE=1 at the box allows it).'
    : null
}

/** The host as `net.connect` takes it: an IPv6 address has no brackets. */
export function hostOf({ hostname }: Pick<URL, 'hostname'>): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
}

/** Of a name: whether it is one that always means this machine. */
export function isPrivateHost(host: string): boolean {
  if (isIP(host) !== 0) return !isPublicAddress(host)
  const name = host.replace(/\.$/, '').toLowerCase()
  return name === 'localhost' || name.endsWith('.localhost')
}

/** IPv4 that is not of the public internet (IANA's special-purpose registry, and multicast). */
const privateIpv4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
]

/** Of 2000::/3, outside of which nothing is public: what is special, documentation, or holds an IPv4 address. */
const privateIpv6: readonly (readonly [string, number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
]

const notPublic = new BlockList()
for (const [net, prefix] of privateIpv4) notPublic.addSubnet(net, prefix, 'ipv4')
for (const [net, prefix] of privateIpv6) notPublic.addSubnet(net, prefix, 'ipv6')
const globalIpv6 = new BlockList()
globalIpv6.addSubnet('2000::', 3, 'ipv6')

/** Whether an IP address belongs to the public internet. False for what is none. */
export function isPublicAddress(address: string): boolean {
  const version = isIP(address)
  if (version === 4) return !notPublic.check(address, 'ipv4')
  return version === 6 && globalIpv6.check(address, 'ipv6') && !notPublic.check(address, 'ipv6')
}
