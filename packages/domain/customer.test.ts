import { expect, it } from 'vitest'
import { buyerKeys, buyerUnitsId, buyerUnitsIds, isErased } from './customer.ts'
import type { Customer } from './customer.ts'

const customer = (fields: Partial<Customer>): Customer => ({
  email: 'ann@example.com',
  phone: null,
  externalId: null,
  name: null,
  shippingAddress: null,
  ...fields,
})

it.each([
  ['as it is', 'ann@example.com', 'ann@example.com'],
  ['in lower case', 'Ann@Example.COM', 'ann@example.com'],
  ['without its tag', 'ann+drop@example.com', 'ann@example.com'],
  ['without any of its tags', 'ann+drop+two@example.com', 'ann@example.com'],
  ['without an empty tag', 'ann+@example.com', 'ann@example.com'],
  ['with its dots', 'a.n.n@example.com', 'a.n.n@example.com'],
  ['with a plus at the start', '+ann@example.com', '+ann@example.com'],
  ['with a plus in the domain', 'ann@exa+mple.com', 'ann@exa+mple.com'],
  ['cut at the last @', '"a@b"+x@example.com', '"a@b"@example.com'],
  ['with full-width letters folded', 'ａｎｎ@example.com', 'ann@example.com'],
])('buyerKeys knows an e-mail %s', (_, email, key) => {
  expect(buyerKeys(customer({ email }))).toEqual([`email:${key}`])
})

it.each([
  ['+84 90 123-45-67', '+84901234567'],
  ['+84901234567', '+84901234567'],
  [' +84 901234567', '+84901234567'],
  ['0084 901234567', '+84901234567'],
  ['(090) 123 4567', '0901234567'],
  ['0901234567', '0901234567'],
])('buyerKeys knows the phone %s as %s', (phone, key) => {
  expect(buyerKeys(customer({ phone }))).toEqual(['email:ann@example.com', `phone:${key}`])
})

it('buyerKeys keeps an external id as it is', () => {
  expect(buyerKeys(customer({ externalId: ' User/7+A ' }))).toEqual(['email:ann@example.com', 'external: User/7+A '])
})

it('buyerKeys has one key for each thing known, and name and address are none', () => {
  const address = { line1: '1 Way', line2: null, city: 'Hue', state: null, postalCode: null, country: 'VN' }
  const full = customer({ phone: '+1 2', externalId: 'u7', name: 'Ann', shippingAddress: address })
  expect(buyerKeys(full)).toEqual(['email:ann@example.com', 'phone:+12', 'external:u7'])
})

it('buyerUnitsId differs by drop and by key, shows the kind of the key and not the key', () => {
  // printf 'drop_1 email:a@b' | openssl dgst -sha256 -binary | basenc --base64url
  expect(buyerUnitsId('drop_1', 'email:a@b')).toBe('drop_1 email:gABzPKdhUrImNGpOF-r96h')
  const ids = ['email:a@b', 'email:a@c', 'phone:a@b'].flatMap((key) => [
    buyerUnitsId('drop_1', key),
    buyerUnitsId('drop_2', key),
  ])
  expect(new Set(ids).size).toBe(6)
})

it('buyerUnitsIds of an erased customer are those that were kept', () => {
  const ann = customer({ phone: '1' })
  const countedIn = buyerUnitsIds('drop_1', ann)
  expect(countedIn).toEqual(buyerKeys(ann).map((key) => buyerUnitsId('drop_1', key)))
  expect([isErased(ann), isErased({ countedIn })]).toEqual([false, true])
  expect(buyerUnitsIds('drop_1', { countedIn })).toBe(countedIn)
})
