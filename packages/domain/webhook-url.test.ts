import { describe, expect, it } from 'vitest'
import { findUrlFault, isPublicAddress } from './webhook-url.ts'

/** First and last address of every range that is not public, by IANA's registries of special-purpose addresses. */
const refused: readonly string[] = [
  '0.0.0.0',
  '0.255.255.255',
  '10.0.0.0',
  '10.255.255.255',
  '100.64.0.0',
  '100.127.255.255',
  '127.0.0.1',
  '127.255.255.255',
  '169.254.0.0',
  '169.254.169.254',
  '169.254.255.255',
  '172.16.0.0',
  '172.31.255.255',
  '192.0.0.0',
  '192.0.0.255',
  '192.0.2.1',
  '192.88.99.1',
  '192.168.0.0',
  '192.168.255.255',
  '198.18.0.0',
  '198.19.255.255',
  '198.51.100.7',
  '203.0.113.7',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:127.0.0.1',
  '::ffff:8.8.8.8',
  '::ffff:7f00:1',
  '::127.0.0.1',
  '64:ff9b::7f00:1',
  '64:ff9b:1::1',
  '100::1',
  '2001::1',
  '2001:db8::1',
  '2002:7f00:1::',
  '3fff::1',
  '5f00::1',
  'fc00::1',
  'fd00:ec2::254',
  'fe80::1',
  'fe80::1%eth0',
  'fec0::1',
  'ff02::1',
  '',
  'localhost',
  '1.2.3',
  '1.2.3.4.5',
  'example.com',
  '[::1]',
]
const allowed: readonly string[] = [
  '1.1.1.1',
  '8.8.8.8',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '126.255.255.255',
  '128.0.0.0',
  '169.253.255.255',
  '169.255.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '192.0.1.0',
  '192.167.255.255',
  '192.169.0.0',
  '198.17.255.255',
  '198.20.0.0',
  '223.255.255.255',
  '2606:4700:4700::1111',
  '2a00:1450::1',
  '2001:4860:4860::8888',
  '2001:200::1',
  '3ffe::1',
]

describe('isPublicAddress', () => {
  it.each(refused)('refuses %j', (address) => expect(isPublicAddress(address)).toBe(false))
  it.each(allowed)('allows %j', (address) => expect(isPublicAddress(address)).toBe(true))
})

const open = { allowPrivate: true, httpsOnly: false }
const closed = { allowPrivate: false, httpsOnly: false }
const live = { allowPrivate: false, httpsOnly: true }

/** In order of precedence. */
it.each<[string, Parameters<typeof findUrlFault>[1], string | null]>([
  ['not a url', open, 'must be a URL'],
  ['ftp://example.com/', open, 'must be a URL'],
  ['file:///etc/passwd', open, 'must be a URL'],
  ['http://example.com/', live, 'must start with https://'],
  ['http://user@example.com/', open, 'must not have a user name'],
  ['http://:secret@example.com/', open, 'must not have a user name'],
  ['http://example.com/#part', open, 'must not have a fragment'],
  ['http://127.0.0.1:22/', open, null],
  ['http://localhost:3000/', open, null],
  ['http://example.com:22/', closed, 'must have the port'],
  ['http://example.com:1023/', closed, 'must have the port'],
  ['http://example.com:0/', closed, 'must have the port'],
  ['http://example.com:80/', closed, null],
  ['http://example.com:443/', closed, null],
  ['https://example.com:1024/', closed, null],
  ['http://127.0.0.1/', closed, 'must not lead into a private network'],
  ['http://2130706433/', closed, 'must not lead into a private network'],
  ['http://0177.0.0.1/', closed, 'must not lead into a private network'],
  ['http://127.0.0.1./', closed, 'must not lead into a private network'],
  ['http://１２７.0.0.1/', closed, 'must not lead into a private network'],
  ['http://[::ffff:169.254.169.254]/', closed, 'must not lead into a private network'],
  ['http://LOCALHOST./', closed, 'must not lead into a private network'],
  ['http://a.localhost/', closed, 'must not lead into a private network'],
  ['https://example.com/hook?token=1', live, null],
  ['https://münchen.example/', live, null],
])('findUrlFault says of %s with %j: %s', (url, rules, fault) => {
  const found = findUrlFault(url, rules)
  if (fault === null) expect(found).toBeNull()
  else expect(found).toMatch(new RegExp(`^${fault}`))
})
