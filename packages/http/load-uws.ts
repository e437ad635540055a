/**
 * Finds, checks and loads the native part of uWebSockets.js. Why it is done here and not by `require`:
 * docs/adr/0002-uwebsockets-loader.md.
 */
import { createHash, randomUUID } from 'node:crypto'
import { lstatSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { patchGlibc } from './patch-glibc.ts'
import type { UwsLibrary } from './uws.ts'

/** Either the library, or why this machine cannot run it and node:http has to serve. */
export type LoadedUws =
  | { readonly library: UwsLibrary; readonly how: 'as-is' | 'patched' }
  | { readonly reason: string }

export interface LoadUwsOptions {
  /** Where a patched copy is kept. Made with mode 0700; refused when another user could write to it. */
  readonly cacheFolder: string
  /** Where the binaries lie; the installed package when absent. */
  readonly packageFolder?: string
  readonly host?: UwsHost
}

/** What decides which binary fits. */
export interface UwsHost {
  readonly platform: string
  readonly arch: string
  /** Node's ABI number, `process.versions.modules`: 127 is Node 22, 137 is Node 24, 141 is Node 25. */
  readonly abi: string
  /** As `2.36`; empty on Linux without glibc (musl) and on other systems. */
  readonly glibc: string
  /** Of the kernel. */
  readonly release: string
}

interface Pin {
  readonly sha256: string
  /** Of what `patchGlibc` makes of it. Only x64 was ever tried, so nothing else is patched. */
  readonly patchedSha256?: string
}

/**
 * The binaries in `@btc-vision/uwebsockets.js@20.57.0`, whose packager is not the author of uWebSockets.js. A new
 * version of the package needs new lines here, on purpose.
 */
const PINS: Readonly<Record<string, Pin>> = {
  linux_x64_127: {
    sha256: '4b55b1f2cb7a7913febbb65a89496412b96af77e838552980092ba6b33723aac',
    patchedSha256: 'f1608f301188933e79a50cf7d219a30ee83814aaba5e400e37c10eb9be7958db',
  },
  linux_x64_137: {
    sha256: '98128405dba2fb608448e921a979530f70c946a2cc9889c15f2fa70c2d00ab05',
    patchedSha256: '337e7312c83b0df8accbe2446055c1e663ef14824712a055dfb8c34852cd8d69',
  },
  linux_x64_141: {
    sha256: '813d788b347c6fd76b779d8932311ec05a044e612b4b83af220f16e6ea789683',
    patchedSha256: '66513ca63ef5fe6c0534f58cee955fcb272d49194dda12a806c2c1ccfb9b636d',
  },
  linux_arm64_127: { sha256: '82b79bd18d1e3563de336156005bd01b7f39fc387b65173d69a29da4ee79f895' },
  linux_arm64_137: { sha256: '88618b30ddf6b2b62310db89f40a701616676352aac5e0f6184dd8ef876199ce' },
  linux_arm64_141: { sha256: '81d0186dd1549ed6a7f47e68e323573fc27d69d2920527654ce2dd993af2b0ec' },
  darwin_arm64_127: { sha256: '6180345d453e2e113feb2b0d76376493cd6a90056c3483fc22de7b0c340dc231' },
  darwin_arm64_137: { sha256: '2187391c702fa7ad3bf685eff7712c15cf24fa7cf324a131dfcbae3fd0f20a9a' },
  darwin_arm64_141: { sha256: '8555586f69116620ac17540b2a7a2459c5db1cebee5c36fd77157dd352fabf82' },
  darwin_x64_127: { sha256: 'fd551673f3ce1f104d7cec3ba8f628d9d04853eff1045c9d95983372ed90bca0' },
  darwin_x64_137: { sha256: '98fd7e9456e2d37d3262b05b053d673830927f91c63c0c2ae73bde8d19eef293' },
  darwin_x64_141: { sha256: 'e64e8a42347b5f9861b0f2bfa0981d8e48914e9b26ec73e133ba454d9a580777' },
}

/** The binaries take `arc4random` from it, which no patch can replace. */
const GLIBC_MIN = [2, 36] as const

/** Darwin 25 is macOS 26, where this release crashes on arm64 (uNetworking/uWebSockets#1899, open). */
const DARWIN_ARM64_BROKEN_FROM = 25

const require = createRequire(import.meta.url)

/**
 * Loads uWebSockets.js for this process, once: further calls return the same library. Blocks on file reads and
 * hashing (about 20 ms), so it belongs at start. Never throws for what a machine may lack or for a binary that is
 * not the pinned one: it returns the reason, for the operator's eyes.
 */
export function loadUws(options: LoadUwsOptions): LoadedUws {
  try {
    return loadPinned(options)
  } catch (error) {
    return { reason: `uWebSockets.js cannot load: ${messageOf(error)}` }
  }
}

/**
 * A folder of this user for `cacheFolder`: under `$XDG_CACHE_HOME`, else under the folder for temporary files.
 */
export function defaultUwsCacheFolder(env: NodeJS.ProcessEnv): string {
  const cacheHome = env['XDG_CACHE_HOME']
  if (cacheHome !== undefined && path.isAbsolute(cacheHome)) return path.join(cacheHome, 'penstock-uws')
  return path.join(os.tmpdir(), `penstock-uws-${userId()}`)
}

/** What `loadUws` looks at on this machine. */
export function readUwsHost(): UwsHost {
  const { platform, arch } = process
  const glibc = platform === 'linux' ? readGlibcVersion() : ''
  return { platform, arch, abi: process.versions.modules, glibc, release: os.release() }
}

function loadPinned({ cacheFolder, packageFolder, host = readUwsHost() }: LoadUwsOptions): LoadedUws {
  const target = `${host.platform}_${host.arch}_${host.abi}`
  const pin = PINS[target]
  if (pin === undefined) return { reason: `uWebSockets.js has no pinned binary for ${target} (platform, arch, ABI)` }
  const unfit = whyUnfit(host)
  if (unfit !== undefined) return { reason: unfit }

  const original = path.join(packageFolder ?? findPackageFolder(), `uws_${target}.node`)
  const bytes = readFileSync(original)
  const sha256 = sha256Of(bytes)
  if (sha256 !== pin.sha256) {
    return { reason: `REFUSED: ${original} is not the pinned binary: its sha256 is ${sha256}, not ${pin.sha256}` }
  }
  try {
    return { library: loadNative(original), how: 'as-is' }
  } catch (error) {
    if (pin.patchedSha256 === undefined || !messageOf(error).includes('GLIBC_2.38')) throw error
  }
  const patched = path.join(cacheFolder, `uws_${target}_${pin.patchedSha256}.node`)
  writePatchedCopy(patched, bytes, pin.patchedSha256)
  return { library: loadNative(patched), how: 'patched' }
}

function whyUnfit({ platform, arch, glibc, release }: UwsHost): string | undefined {
  if (platform === 'darwin') {
    const isBroken = arch === 'arm64' && Number.parseInt(release, 10) >= DARWIN_ARM64_BROKEN_FROM
    return isBroken ? 'uWebSockets.js 20.57 crashes on macOS 26 with arm64 (uNetworking/uWebSockets#1899)' : undefined
  }
  if (glibc === '') return 'uWebSockets.js needs glibc; this Linux has another C library (musl?)'
  const [major = 0, minor = 0] = glibc.split('.').map(Number)
  const isTooOld = major < GLIBC_MIN[0] || (major === GLIBC_MIN[0] && minor < GLIBC_MIN[1])
  return isTooOld ? `uWebSockets.js needs glibc ${GLIBC_MIN.join('.')} or newer; this is ${glibc}` : undefined
}

/**
 * Leaves a good copy at `file`, whatever was there. Readers never see half a file, because the name appears by a
 * rename; two processes that start together write the same bytes.
 */
function writePatchedCopy(file: string, original: Buffer, patchedSha256: string): void {
  const folder = path.dirname(file)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  assertPrivate(folder)
  if (isIntact(file, patchedSha256)) return
  const patched = patchGlibc(original)
  const sha256 = sha256Of(patched)
  if (sha256 !== patchedSha256) throw new Error(`the patched copy has sha256 ${sha256}, not ${patchedSha256}`)
  const temporary = `${file}.${randomUUID()}`
  try {
    writeFileSync(temporary, patched, { mode: 0o600, flag: 'wx' })
    renameSync(temporary, file)
  } finally {
    rmSync(temporary, { force: true })
  }
  if (!isIntact(file, patchedSha256)) throw new Error(`${file} does not read back as it was written`)
}

/** Who can write to the folder can swap the file between the check and the load. */
function assertPrivate(folder: string): void {
  const { uid, mode } = lstatSync(folder)
  const isOwn = uid === userId()
  if (!isOwn || (mode & 0o077) !== 0) throw new Error(`${folder} must be a folder of this user alone (mode 0700)`)
}

/** Not `os.userInfo()`, which throws in a container whose user has no name. */
function userId(): number {
  return process.getuid?.() ?? 0
}

function isIntact(file: string, sha256: string): boolean {
  // A link would be loaded from a place that nobody checked.
  return lstatSync(file, { throwIfNoEntry: false })?.isFile() === true && sha256Of(readFileSync(file)) === sha256
}

/** The package's own uws.js adds only `DeclarativeResponse`, which nothing here uses. */
function loadNative(file: string): UwsLibrary {
  const library: UwsLibrary = require(file)
  return library
}

function findPackageFolder(): string {
  return path.dirname(require.resolve('uWebSockets.js'))
}

function readGlibcVersion(): string {
  const report = process.report as typeof process.report & { excludeNetwork: boolean }
  // Without this the report looks up the name of every open connection.
  report.excludeNetwork = true
  const { header } = report.getReport() as unknown as { header: { glibcVersionRuntime?: string } }
  return header.glibcVersionRuntime ?? ''
}

function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Only the first line: the rest of a module error is a list of callers. */
function messageOf(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n', 1)[0] ?? ''
}
