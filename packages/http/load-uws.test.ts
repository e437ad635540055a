import { createHash } from 'node:crypto'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { defaultUwsCacheFolder, loadUws, readUwsHost } from './load-uws.ts'
import type { LoadedUws, UwsHost } from './load-uws.ts'
import { patchGlibc } from './patch-glibc.ts'

const PACKAGE_FOLDER = path.dirname(createRequire(import.meta.url).resolve('uWebSockets.js'))
const X64_BINARY = 'uws_linux_x64_137.node'
const PINNED = '98128405dba2fb608448e921a979530f70c946a2cc9889c15f2fa70c2d00ab05'
const PINNED_PATCHED = '337e7312c83b0df8accbe2446055c1e663ef14824712a055dfb8c34852cd8d69'
const DEBIAN_12: UwsHost = { platform: 'linux', arch: 'x64', abi: '137', glibc: '2.36', release: '6.1.0' }

/** Only there does the loader patch; elsewhere the same calls must load the library as it is, or give a reason. */
const host = readUwsHost()
const isX64Node24 = host.platform === 'linux' && host.arch === 'x64' && host.abi === '137'
const needsPatch = isX64Node24 && (host.glibc === '2.36' || host.glibc === '2.37')

let folder: string
let cacheFolder: string

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'penstock-load-uws-'))
  cacheFolder = path.join(folder, 'cache')
})

afterEach(() => {
  rmSync(folder, { recursive: true })
})

function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function readBinary(name: string): Buffer {
  return readFileSync(path.join(PACKAGE_FOLDER, name))
}

function reasonOf(loaded: LoadedUws): string {
  return 'reason' in loaded ? loaded.reason : `loaded ${loaded.how}`
}

function cachedFile(): string {
  const [name = 'nothing'] = readdirSync(cacheFolder)
  return path.join(cacheFolder, name)
}

describe('patchGlibc', () => {
  it.each([
    ['uws_linux_x64_127.node', 'f1608f301188933e79a50cf7d219a30ee83814aaba5e400e37c10eb9be7958db'],
    [X64_BINARY, PINNED_PATCHED],
    ['uws_linux_x64_141.node', '66513ca63ef5fe6c0534f58cee955fcb272d49194dda12a806c2c1ccfb9b636d'],
  ])('turns %s into the pinned bytes and leaves its argument alone', (name, sha256) => {
    const original = readBinary(name)
    const before = sha256Of(original)
    expect(sha256Of(patchGlibc(original))).toBe(sha256)
    expect(sha256Of(original)).toBe(before)
  })

  it('changes 15 bytes of the file at most', () => {
    const original = readBinary(X64_BINARY)
    const patched = patchGlibc(original)
    const changed = original.reduce((count, byte, index) => count + (byte === patched[index] ? 0 : 1), 0)
    expect(patched.length).toBe(original.length)
    // Three names of four bytes, three version indexes, one flag; most of their bytes stay the same.
    expect(changed).toBeGreaterThanOrEqual(7)
    expect(changed).toBeLessThanOrEqual(15)
  })

  it('refuses what is no x64 library', () => {
    expect(() => patchGlibc(Buffer.alloc(0))).toThrow('not a 64-bit little-endian ELF file')
    expect(() => patchGlibc(Buffer.alloc(10_000, 'garbage'))).toThrow('not a 64-bit little-endian ELF file')
    expect(() => patchGlibc(readBinary('uws_linux_arm64_137.node'))).toThrow('not an x64 shared library')
    expect(() => patchGlibc(readBinary('uws_darwin_x64_137.node'))).toThrow('not a 64-bit little-endian ELF file')
  })

  it('refuses a library that was patched already', () => {
    expect(() => patchGlibc(patchGlibc(readBinary(X64_BINARY)))).toThrow('found none')
  })

  it.each([64, 4096, 500_000, 6_000_000, 6_975_591])('refuses a library cut to %i bytes', (length) => {
    expect(() => patchGlibc(readBinary(X64_BINARY).subarray(0, length))).toThrow(/^damaged ELF file: .* past the end$/)
  })

  // The places are from readelf. Filled with ones, a number is too large and a name is nowhere.
  it.each([
    ['the section headers', 0x6a68a8, /^damaged ELF file: .*no .dynsym|^damaged ELF file: section/],
    ['the version needs', 0x7e8e8, /^damaged ELF file: a name lies outside/],
    ['the versions of libc.so.6', 0x7e8e8 + 0x60, /^damaged ELF file: a name lies outside/],
    ['a symbol that changes its name', 0xab28 + 173 * 24, /^damaged ELF file: a name lies outside/],
  ])('refuses damage in %s', (_place, offset, message) => {
    const damaged = Buffer.from(readBinary(X64_BINARY))
    damaged.fill(0xff, offset, offset + 400)
    expect(() => patchGlibc(damaged)).toThrow(message)
  })
})

describe('loadUws', () => {
  it.runIf(isX64Node24)('loads the library with what the transport needs', () => {
    const loaded = loadUws({ cacheFolder })
    if ('reason' in loaded) throw new Error(loaded.reason)
    expect(loaded.how).toBe(needsPatch ? 'patched' : 'as-is')
    expect(loaded.library).toMatchObject({
      App: expect.any(Function),
      us_listen_socket_close: expect.any(Function),
      us_socket_local_port: expect.any(Function),
    })
    expect(sha256Of(readBinary(X64_BINARY))).toBe(PINNED)
  })

  it.runIf(needsPatch)('keeps one private, verified copy and nothing beside it', () => {
    loadUws({ cacheFolder })
    loadUws({ cacheFolder })
    expect(readdirSync(cacheFolder)).toHaveLength(1)
    expect(sha256Of(readFileSync(cachedFile()))).toBe(PINNED_PATCHED)
    expect(statSync(cacheFolder).mode & 0o777).toBe(0o700)
  })

  it.runIf(needsPatch)('writes a damaged copy anew', () => {
    loadUws({ cacheFolder })
    // Not in place: this process has mapped the file.
    const file = cachedFile()
    rmSync(file)
    writeFileSync(file, 'damaged')
    expect(loadUws({ cacheFolder })).toMatchObject({ how: 'patched' })
    expect(sha256Of(readFileSync(file))).toBe(PINNED_PATCHED)
  })

  it.runIf(needsPatch)('does not follow a link in the cache folder', () => {
    loadUws({ cacheFolder })
    const file = cachedFile()
    const elsewhere = path.join(folder, 'elsewhere.node')
    copyFileSync(file, elsewhere)
    rmSync(file)
    symlinkSync(elsewhere, file)
    loadUws({ cacheFolder })
    expect(readdirSync(cacheFolder, { withFileTypes: true }).map((entry) => entry.isFile())).toEqual([true])
  })

  it.runIf(needsPatch)('refuses a cache folder that others may use', () => {
    mkdirSync(cacheFolder)
    chmodSync(cacheFolder, 0o777)
    expect(reasonOf(loadUws({ cacheFolder }))).toContain('must be a folder of this user alone')
  })

  it.runIf(needsPatch)('gives a reason when the cache folder cannot be made', () => {
    writeFileSync(cacheFolder, 'a file')
    expect(reasonOf(loadUws({ cacheFolder }))).toMatch(/^uWebSockets\.js cannot load: /)
  })

  it('refuses loudly a binary that is not the pinned one', () => {
    const bytes = readBinary(X64_BINARY)
    bytes.writeUInt8(bytes.readUInt8(5_000_000) ^ 1, 5_000_000)
    writeFileSync(path.join(folder, X64_BINARY), bytes)
    const reason = reasonOf(loadUws({ cacheFolder, packageFolder: folder, host: DEBIAN_12 }))
    expect(reason).toMatch(/^REFUSED: .*uws_linux_x64_137\.node is not the pinned binary/)
    expect(reason).toContain(PINNED)
    expect(() => statSync(cacheFolder)).toThrow('ENOENT')
  })

  it('gives a reason when the package is not there', () => {
    const reason = reasonOf(loadUws({ cacheFolder, packageFolder: folder, host: DEBIAN_12 }))
    expect(reason).toMatch(/^uWebSockets\.js cannot load: ENOENT/)
  })

  it.each<[string, Partial<UwsHost>, string]>([
    ['Node 26', { abi: '147' }, 'no pinned binary for linux_x64_147'],
    ['another architecture', { arch: 'riscv64' }, 'no pinned binary for linux_riscv64_137'],
    ['Windows', { platform: 'win32' }, 'no pinned binary for win32_x64_137'],
    ['musl', { glibc: '' }, 'needs glibc; this Linux has another C library'],
    ['glibc 2.35', { glibc: '2.35' }, 'needs glibc 2.36 or newer; this is 2.35'],
    ['glibc 1.99', { glibc: '1.99' }, 'needs glibc 2.36 or newer; this is 1.99'],
    ['macOS 26 on arm64', { platform: 'darwin', arch: 'arm64', glibc: '', release: '25.1.0' }, 'crashes on macOS 26'],
  ])('gives a reason on %s', (_name, difference, reason) => {
    expect(reasonOf(loadUws({ cacheFolder, host: { ...DEBIAN_12, ...difference } }))).toContain(reason)
  })

  it('has the pins of the files that are installed', () => {
    for (const platform of ['linux', 'darwin']) {
      for (const arch of ['x64', 'arm64']) {
        for (const abi of ['127', '137', '141']) {
          // A foreign binary passes the pin and then fails to load. One for this machine but another Node might
          // load, and crash: the patch table above covers those.
          const fit = { platform, arch, abi, glibc: platform === 'linux' ? '2.38' : '', release: '24.0.0' }
          if (platform === host.platform && arch === host.arch && abi !== host.abi) continue
          expect(reasonOf(loadUws({ cacheFolder, host: fit }))).not.toMatch(/REFUSED|no pinned/)
        }
      }
    }
  })
})

describe('defaultUwsCacheFolder', () => {
  it('is under XDG_CACHE_HOME when that is absolute, and belongs to one user otherwise', () => {
    expect(defaultUwsCacheFolder({ XDG_CACHE_HOME: '/home/seller/.cache' })).toBe('/home/seller/.cache/penstock-uws')
    const own = path.join(os.tmpdir(), `penstock-uws-${process.getuid?.() ?? 0}`)
    expect(defaultUwsCacheFolder({ XDG_CACHE_HOME: 'relative' })).toBe(own)
    expect(defaultUwsCacheFolder({})).toBe(own)
  })
})
