import { resolve } from 'node:path'
import { CommandError, exitCodes } from '../exit-code.ts'
import { dataOption, settingsOf } from '../settings.ts'
import type { Command } from '../command.ts'

export const migrate: Command = {
  name: 'migrate',
  summary: 'bring the database of a stopped box up to this release',
  options: [dataOption],
  notes:
    'penstock start does the same when it opens the database. Make a copy of the data folder first: there is no way back.',
  run: async (call, context) => {
    const dataFolder = resolve(settingsOf(call, context).dataFolder)
    const maintenance = await context.openMaintenance()
    // The lock file is for its owner only, as everything a box writes.
    process.umask(0o077)
    try {
      const { from, to } = maintenance.migrate(dataFolder, { log: (line) => context.output.note(line) })
      if (call.json) context.output.json({ object: 'migration', data: dataFolder, from, to })
      else
        context.output.line(
          from === to ? `nothing to do: schema ${to}` : `migrated ${dataFolder} from schema ${from} to ${to}`,
        )
      return exitCodes.done
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'writer_locked')) throw error
      throw new CommandError(exitCodes.refused, `${error.message}: stop the box first`, {}, error)
    }
  },
}
