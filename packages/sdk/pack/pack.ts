import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const sdkFolder = fileURLToPath(new URL('..', import.meta.url))
const root = join(sdkFolder, '..', '..')

/**
 * Builds the SDK and packs it as it is published, into `folder`, which must be there. Returns the path of the tarball;
 * what it was made of stays beside it in `package/`. Throws with the output of tsc or npm when they fail.
 */
export function packSdk(folder: string): string {
  const staged = join(folder, 'package')
  mkdirSync(staged)
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  run(process.execPath, [tsc, '-p', join(sdkFolder, 'tsconfig.build.json'), '--outDir', join(staged, 'dist')], root)
  writeFileSync(join(staged, 'package.json'), `${JSON.stringify(publishedManifest(), null, 2)}\n`)
  copyFileSync(join(sdkFolder, 'README.md'), join(staged, 'README.md'))
  copyFileSync(join(root, 'LICENSE'), join(staged, 'LICENSE'))
  const output = run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], staged)
  const [packed] = JSON.parse(output) as [{ filename: string }]
  return join(folder, packed.filename)
}

/** `publishConfig` takes the place of what serves the workspace, as pnpm does it. */
function publishedManifest(): object {
  const text = readFileSync(join(sdkFolder, 'package.json'), 'utf8')
  const manifest = JSON.parse(text) as Record<string, unknown>
  const { publishConfig, devDependencies: _, ...rest } = manifest
  const { exports, ...publishing } = publishConfig as Record<string, unknown>
  return { ...rest, exports, publishConfig: publishing }
}

function run(command: string, args: readonly string[], cwd: string): string {
  try {
    return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string }
    throw new Error(`${command} ${args.join(' ')} failed:\n${stdout ?? ''}${stderr ?? ''}`, { cause: error })
  }
}
