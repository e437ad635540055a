import { FrameError } from './frame.ts'
import type { Command } from '@penstock/domain/command.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { BriefResult } from './brief-result.ts'

/**
 * Metadata travels as JSON text. Its field names are chosen by clients, and msgpackr gives some names a meaning
 * (`toJSON`, `constructor`, `__proto__`): as text they are only text.
 */

/** The command as it is packed. */
export function withMetadataText(command: Command): unknown {
  if (command.kind === 'create_drop') return { ...command, metadata: JSON.stringify(command.metadata) }
  if (command.kind !== 'update_drop' || command.changes.metadata === undefined) return command
  return { ...command, changes: { ...command.changes, metadata: JSON.stringify(command.changes.metadata) } }
}

/** What was unpacked, with the metadata of a drop as an object again. Not checked yet otherwise. */
export function withMetadataObject(value: unknown): unknown {
  if (!isObject(value)) return value
  if (value['kind'] === 'create_drop') return parseMetadata(value)
  if (value['kind'] !== 'update_drop' || !isObject(value['changes'])) return value
  return { ...value, changes: parseMetadata(value['changes']) }
}

export function resultWithMetadataText(result: Result | BriefResult): unknown {
  if (!('outcome' in result) || result.outcome !== 'drop_saved') return result
  return { ...result, drop: { ...result.drop, metadata: JSON.stringify(result.drop.metadata) } }
}

export function resultWithMetadataObject(value: unknown): unknown {
  if (!isObject(value) || value['outcome'] !== 'drop_saved' || !isObject(value['drop'])) return value
  return { ...value, drop: parseMetadata(value['drop']) }
}

function parseMetadata(holder: Record<string, unknown>): Record<string, unknown> {
  const { metadata } = holder
  if (typeof metadata !== 'string') return holder
  try {
    return { ...holder, metadata: JSON.parse(metadata) as unknown }
  } catch (error) {
    throw new FrameError('metadata is not JSON', error)
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
