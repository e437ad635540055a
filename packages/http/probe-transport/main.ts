import { defaultUwsCacheFolder, loadUws } from '../load-uws.ts'

/**
 * Which HTTP library this machine can run, on stdout: `{"library":"uws","how":"as-is"|"patched"}`, or
 * `{"library":"node","reason"}`. A process of its own, because loading a native library may end it.
 */
const loaded = loadUws({ cacheFolder: defaultUwsCacheFolder(process.env) })
const answer = 'library' in loaded ? { library: 'uws', how: loaded.how } : { library: 'node', reason: loaded.reason }
process.stdout.write(JSON.stringify(answer))
// The library keeps a loop of its own open.
process.exit(0)
