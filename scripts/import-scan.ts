/** What one source file imports and reads from its surroundings. Knows the syntax, not the rules. */
import {
  parseSync,
  Visitor,
  type Argument,
  type Expression,
  type MemberExpression,
  type Program,
  type Span,
} from 'oxc-parser'

export interface Import {
  /** As written; null when it is computed. */
  readonly specifier: string | null
  /** From 1. */
  readonly line: number
  /** Gone after type stripping. */
  readonly typeOnly: boolean
}

/** A use of the clock or of the environment. Type positions are none. */
export interface Reading {
  readonly kind: 'clock' | 'environment'
  readonly line: number
  readonly text: string
}

export interface Scan {
  readonly imports: readonly Import[]
  readonly readings: readonly Reading[]
  readonly error: { readonly line: number; readonly message: string } | null
}

const CLOCK_MEMBERS = new Set(['Date.now', 'performance.now', 'performance.timeOrigin', 'process.hrtime'])
const CLOCK_EXPORTS = new Map([
  ['node:process', ['hrtime']],
  ['process', ['hrtime']],
])
const ENVIRONMENT = 'process.env'

/** `file` only chooses the syntax, by its extension. */
export function scanSource(file: string, text: string): Scan {
  const { program, errors } = parseSync(file, text, { preserveParens: false })
  const lineAt = lineCounter(text)
  const imports: Import[] = []
  const readings: Reading[] = []

  const addImport = (node: Span, specifier: string | null, typeOnly: boolean): void => {
    imports.push({ specifier, line: lineAt(node.start), typeOnly })
  }
  const addReading = (node: Span, kind: Reading['kind'], name: string): void => {
    readings.push({ kind, line: lineAt(node.start), text: name })
  }

  const requires = requireNames(program)
  new Visitor({
    ImportDeclaration(node) {
      const { source, specifiers, importKind } = node
      addImport(source, source.value, importKind === 'type')
      for (const specifier of specifiers) {
        if (specifier.type !== 'ImportSpecifier' || importKind === 'type') continue
        const name = specifier.imported.type === 'Identifier' ? specifier.imported.name : specifier.imported.value
        if (!/^(node:)?process$/.test(source.value)) continue
        if (name === 'env') addReading(specifier, 'environment', ENVIRONMENT)
        if (CLOCK_EXPORTS.get(source.value)?.includes(name) === true) addReading(specifier, 'clock', `process.${name}`)
      }
    },
    ExportAllDeclaration(node) {
      addImport(node.source, node.source.value, node.exportKind === 'type')
    },
    ExportNamedDeclaration(node) {
      if (node.source !== null) addImport(node.source, node.source.value, node.exportKind === 'type')
    },
    ImportExpression(node) {
      addImport(node.source, literal(node.source), false)
    },
    TSImportType(node) {
      addImport(node.source, node.source.value, true)
    },
    TSExternalModuleReference(node) {
      addImport(node.expression, node.expression.value, false)
    },
    CallExpression(node) {
      if (isResolver(node.callee, requires)) addImport(node, literal(node.arguments[0]), false)
      if (node.callee.type === 'Identifier' && node.callee.name === 'Date') addReading(node, 'clock', 'Date()')
    },
    NewExpression(node) {
      const isDate = node.callee.type === 'Identifier' && node.callee.name === 'Date'
      if (isDate && node.arguments.length === 0) addReading(node, 'clock', 'new Date()')
    },
    MemberExpression(node) {
      const name = memberName(node)
      if (name === ENVIRONMENT) addReading(node, 'environment', name)
      if (name !== null && CLOCK_MEMBERS.has(name)) addReading(node, 'clock', name)
    },
    VariableDeclarator(node) {
      if (node.id.type !== 'ObjectPattern' || node.init?.type !== 'Identifier') return
      for (const property of node.id.properties) {
        if (property.type !== 'Property' || property.key.type !== 'Identifier') continue
        const name = `${node.init.name}.${property.key.name}`
        if (name === ENVIRONMENT) addReading(property, 'environment', name)
        if (CLOCK_MEMBERS.has(name)) addReading(property, 'clock', name)
      }
    },
  }).visit(program)

  const [error] = errors
  if (error === undefined) return { imports, readings, error: null }
  return { imports, readings, error: { line: lineAt(error.labels[0]?.start ?? 0), message: error.message } }
}

/** `require`, and the variables that hold what `createRequire` returned. */
function requireNames(program: Program): ReadonlySet<string> {
  const names = new Set(['require'])
  new Visitor({
    VariableDeclarator({ id, init }) {
      if (id.type === 'Identifier' && init?.type === 'CallExpression' && isCreateRequire(init.callee))
        names.add(id.name)
    },
  }).visit(program)
  return names
}

function isCreateRequire(callee: Expression): boolean {
  if (callee.type === 'Identifier') return callee.name === 'createRequire'
  return callee.type === 'MemberExpression' && !callee.computed && callee.property.name === 'createRequire'
}

/** `require(...)`, `createRequire(...)(...)`, `require.resolve(...)`, `import.meta.resolve(...)`. */
function isResolver(callee: Expression, requires: ReadonlySet<string>): boolean {
  if (callee.type === 'Identifier') return requires.has(callee.name)
  if (callee.type === 'CallExpression') return isCreateRequire(callee.callee)
  if (callee.type !== 'MemberExpression' || callee.computed || callee.property.name !== 'resolve') return false
  return callee.object.type === 'MetaProperty' || isResolver(callee.object, requires)
}

/** `a.b` and `a['b']`, also behind `globalThis.`; null for anything longer or computed. */
function memberName(node: MemberExpression): string | null {
  const property = node.computed ? literal(node.property) : node.property.name
  const object = node.object
  if (object.type === 'Identifier') return `${object.name}.${property ?? ''}`
  if (object.type !== 'MemberExpression' || object.object.type !== 'Identifier') return null
  if (object.object.name !== 'globalThis' || object.computed) return null
  return `${object.property.name}.${property ?? ''}`
}

function literal(node: Argument | undefined): string | null {
  if (node?.type === 'Literal' && typeof node.value === 'string') return node.value
  if (node?.type !== 'TemplateLiteral' || node.expressions.length > 0) return null
  return node.quasis[0]?.value.cooked ?? null
}

function lineCounter(text: string): (offset: number) => number {
  const starts = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return (offset) => {
    const next = starts.findIndex((start) => start > offset)
    return next < 0 ? starts.length : next
  }
}
