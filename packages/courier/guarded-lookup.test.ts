import { expect, it } from 'vitest'
import { AddressRefused, guardedLookup } from './guarded-lookup.ts'
import type { LookupAddress, LookupOptions } from 'node:dns'

const v4 = (address: string): LookupAddress => ({ address, family: 4 })
const v6 = (address: string): LookupAddress => ({ address, family: 6 })

/** What a connection is told about `host`. */
function ask(answers: LookupAddress[], options: LookupOptions = { all: true }): Promise<unknown> {
  const lookup = guardedLookup(undefined, (_, __, answered) => answered(null, answers))
  return new Promise((resolve, reject) => {
    lookup('shop.example', options, (error, address, family) => {
      if (error === null) resolve(family === undefined ? address : [address, family])
      else reject(error)
    })
  })
}

it('guardedLookup gives the addresses it has looked at', async () => {
  expect(await ask([v4('8.8.8.8'), v6('2a00::1')])).toEqual([v4('8.8.8.8'), v6('2a00::1')])
  expect(await ask([v4('8.8.8.8'), v6('2a00::1')], { all: false })).toEqual(['8.8.8.8', 4])
})

it.each([
  ['loopback', [v4('127.0.0.1')]],
  ['one private address among public ones', [v4('8.8.8.8'), v4('10.0.0.1')]],
  ['the address of cloud metadata', [v4('169.254.169.254')]],
  ['IPv4 in IPv6', [v6('::ffff:127.0.0.1')]],
  ['a link-local address with a zone', [v6('fe80::1%eth0')]],
])('guardedLookup refuses %s', async (_, answers) => {
  await expect(ask(answers)).rejects.toThrow(AddressRefused)
  await expect(ask(answers, { all: false })).rejects.toThrow('shop.example leads to')
})

it('guardedLookup passes on that a name has no address', async () => {
  await expect(ask([])).rejects.toThrow('shop.example has no address')
})

it('guardedLookup asks for each connection again, so that what changed meanwhile is looked at', async () => {
  const answers = [[v4('8.8.8.8')], [v4('127.0.0.1')]]
  const lookup = guardedLookup(undefined, (_, __, answered) => answered(null, answers.shift() ?? []))
  const once = (): Promise<unknown> =>
    new Promise((resolve) => lookup('rebinding.example', { all: true }, (error, found) => resolve(error ?? found)))
  expect(await once()).toEqual([v4('8.8.8.8')])
  expect(await once()).toBeInstanceOf(AddressRefused)
})

it('guardedLookup asks a silent name server once for all connections that wait', async () => {
  let answer: (addresses: LookupAddress[]) => void = () => expect.fail('nothing was asked')
  let questions = 0
  const lookup = guardedLookup(undefined, (_, __, answered) => {
    questions += 1
    answer = (addresses) => answered(null, addresses)
  })
  const all = Array.from(
    { length: 16 },
    () => new Promise((done) => lookup('slow.example', { all: true }, (_, found) => done(found))),
  )
  answer([v4('8.8.8.8')])
  expect(await Promise.all(all)).toHaveLength(16)
  expect(questions).toBe(1)
})
