import type { Static, TSchema } from 'typebox'
import type { Resource, Scope } from '@penstock/domain/api-key.ts'
import type { Access } from './api.ts'
import type { ProblemCode } from './problem.ts'

/** What a route says of itself. Requests are checked by it, and the documents are made from it. */
export interface RouteFacts<Path extends string> {
  /** Literal segments and `:name`s. */
  readonly path: Path
  /** A secret key needs the scope to read or write it. */
  readonly resource: Resource
  readonly access: Access
  /** One line for the documents: what it does. */
  readonly summary: string
  /** What it refuses in ways of its own, beyond what every route like it may refuse. */
  readonly problems: readonly ProblemCode[]
  /** What each `:name` of the path stands for. */
  readonly params: Readonly<Record<PathParam<Path>, TSchema>>
}

/** The scope that a secret key needs for a route. */
export function scopeOf({ kind, resource }: { readonly kind: string; readonly resource: Resource }): Scope {
  return `${resource}:${kind === 'write' || kind === 'slow_write' ? 'write' : 'read'}`
}

/** `'id'` of `'/v1/drops/:id/publish'`. */
export type PathParam<Path extends string> = string extends Path
  ? string
  : Path extends `${string}/:${infer Rest}`
    ? Rest extends `${infer Name}/${infer Tail}`
      ? Name | PathParam<`/${Tail}`>
      : Rest
    : never

/** The parameters of a query, by name. Every one may be absent. */
export type QueryParams = Readonly<Record<string, TSchema>>

/** The body of each answer that is no problem, by status. */
export type Answers = Readonly<Partial<Record<200 | 201, TSchema>>>

declare const holds: unique symbol

/** JSON text of a `Value`. */
export type Json<Value> = string & { readonly [holds]: Value }

/** JSON text of a `Value`, in UTF-8. */
export type JsonBytes<Value> = Uint8Array & { readonly [holds]: Value }

export function toJson<Value>(value: Value): Json<Value> {
  return JSON.stringify(value) as Json<Value>
}

export function toBytes<Value>(json: Json<Value>): JsonBytes<Value> {
  return Buffer.from(json) as unknown as JsonBytes<Value>
}

export function jsonAnswer<Status extends 200 | 201, Value>(
  status: Status,
  value: Value,
): { readonly status: Status; readonly json: Json<Value> } {
  return { status, json: toJson(value) }
}

/** One of the answers a route has declared: never, when it has declared none. */
export type JsonAnswer<Declared extends Answers> = {
  [Status in keyof Declared]: {
    readonly status: Status
    readonly json: Declared[Status] extends TSchema ? Json<Static<Declared[Status]>> : never
  }
}[keyof Declared]
