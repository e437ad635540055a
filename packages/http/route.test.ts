import Type from 'typebox'
import { expect, it } from 'vitest'
import { jsonAnswer, toJson } from './route.ts'
import { readRoute } from './serve-read.ts'
import { writeRoute } from './serve-write.ts'
import type { Command } from '@penstock/domain/command.ts'

const thing = Type.Object({ id: Type.String() })
const body = Type.Object({})
const toCommand = (): Command => ({ kind: 'expire_holds', limit: 1 }) as never
const facts = {
  path: '/v1/things',
  resource: 'drops',
  access: 'secret',
  summary: 'x',
  params: {},
  problems: [],
} as const

it('writeRoute takes only answers that the route declares', () => {
  const one = writeRoute({
    ...facts,
    method: 'POST',
    body,
    answers: { 201: thing },
    toCommand,
    toResponse: () => jsonAnswer(201, { id: 'a' }),
  })
  expect(one).toMatchObject({ kind: 'write', path: '/v1/things' })
  const rest = { ...facts, method: 'POST', body, toCommand } as const
  // @ts-expect-error -- no answers at all
  writeRoute({ ...rest, toResponse: () => jsonAnswer(201, { id: 'a' }) })
  // @ts-expect-error -- answers, but none that could be given
  writeRoute({ ...rest, answers: {}, toResponse: () => jsonAnswer(201, { id: 'a' }) })
  // @ts-expect-error -- another status
  writeRoute({ ...rest, answers: { 201: thing }, toResponse: () => jsonAnswer(200, { id: 'a' }) })
  // @ts-expect-error -- another body
  writeRoute({ ...rest, answers: { 201: thing }, toResponse: () => jsonAnswer(201, { id: 1 }) })
})

it('readRoute takes only the answer that the route declares, and a schema for each parameter of the path', () => {
  const read = () => ({ json: toJson({ id: 'a' }) })
  expect(readRoute({ ...facts, answer: thing, read })).toMatchObject({ kind: 'read' })
  // @ts-expect-error -- no answer
  readRoute({ ...facts, read })
  // @ts-expect-error -- another answer
  readRoute({ ...facts, answer: Type.Object({ other: Type.String() }), read })
  // @ts-expect-error -- the path has an :id
  readRoute({ ...facts, path: '/v1/things/:id', answer: thing, read })
})
