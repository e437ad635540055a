import { amountMax, providerIdLengthMax } from '@penstock/domain/limits.ts'
import { isCurrency } from '@penstock/domain/money.ts'
import type { Currency } from '@penstock/domain/money.ts'

/** A webhook was signed by the provider and yet is not what it should be. `message` is a sentence about the field. */
export class MalformedWebhook extends Error {}

export type Fields = Readonly<Record<string, unknown>>

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function readFields(value: unknown, name: string): Fields {
  if (!isFields(value)) throw new MalformedWebhook(`${name} is no object.`)
  return value
}

/** An id as providers make them: short and visible. */
export function readId(value: unknown, name: string): string {
  if (typeof value === 'string' && value.length <= providerIdLengthMax && /^[!-~]+$/.test(value)) return value
  throw new MalformedWebhook(`${name} is no id of 1 to ${providerIdLengthMax} visible ASCII characters.`)
}

/** In minor units, at least 1. */
export function readAmount(value: unknown, name: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1 && value <= amountMax) return value
  throw new MalformedWebhook(`${name} is no whole amount from 1 to ${amountMax}.`)
}

export function readCurrency(value: unknown, name: string): Currency {
  if (typeof value === 'string' && isCurrency(value)) return value
  throw new MalformedWebhook(`${name} is no currency that is known here.`)
}

/** Unix seconds, as milliseconds. */
export function readTime(value: unknown, name: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value < 1e11) return value * 1_000
  throw new MalformedWebhook(`${name} is no time in Unix seconds.`)
}

/** The bytes of a signed body as an object. */
export function parseBody(rawBody: Buffer): Fields {
  let value: unknown
  try {
    value = JSON.parse(rawBody.toString('utf8'))
  } catch {
    throw new MalformedWebhook('The body is no JSON.')
  }
  return readFields(value, 'The body')
}
