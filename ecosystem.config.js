/**
 * PM2: the writer and the courier once, the HTTP processes as a cluster.
 *
 *   npm run pm2:start | pm2:reload | pm2:stop
 *
 * Use these, or node_modules/.bin/pm2: cluster mode ignores `interpreter` and runs the workers on the Node.js of the
 * PM2 daemon, which is the one that first called PM2. A global PM2 on an older Node.js cannot run this code. After
 * changing Node.js or PM2: `node_modules/.bin/pm2 update`. PM2_HOME is left to you (PM2's default is ~/.pm2).
 *
 * PM2 loads this file with require(), which hands it the named exports of an ES module: `apps` must be one of them, a
 * default export would not be found.
 */
import { availableParallelism } from 'node:os'
import path from 'node:path'

const root = import.meta.dirname
const interpreter = path.join(root, 'node_modules', '.bin', 'node')

/** Cores - 1, at least two, so that one can be replaced while the other serves. As `npm start` does. */
function httpProcesses() {
  const given = process.env.PENSTOCK_HTTP_PROCESSES
  if (given === undefined || given === '') return Math.max(2, availableParallelism() - 1)
  if (!/^([1-9]|[1-5]\d|6[0-4])$/.test(given)) {
    throw new Error(`PENSTOCK_HTTP_PROCESSES must be a number from 1 to 64, is "${given}"`)
  }
  return Number(given)
}

// Of V8's helper threads, no more than there are cores beside the busy one: supervisor.ts says why.
const nodeFlags = `--v8-pool-size=${Math.min(4, Math.max(1, availableParallelism() - 1))}`

export const apps = [
  {
    name: 'penstock-writer',
    script: path.join(root, 'packages/writer/main.ts'),
    cwd: root,
    // Without it PM2 would run a .ts file with bun, where there is one.
    interpreter,
    node_args: nodeFlags,
    // Never a cluster: there is one writer, and a reload must stop the old one before the new one starts.
    exec_mode: 'fork',
    instances: 1,
    wait_ready: true,
    listen_timeout: 10_000,
    // Time to finish the last batch and close the database; then SIGKILL. PM2's own default is 1.6 s.
    kill_timeout: 30_000,
    exp_backoff_restart_delay: 100,
    // No max_memory_restart: it would kill the writer at the height of a drop.
  },
  {
    name: 'penstock-http',
    script: path.join(root, 'packages/http/main.ts'),
    cwd: root,
    interpreter,
    node_args: nodeFlags,
    // Only for its reload, which starts the new process before it stops the old one. The processes share the port by
    // SO_REUSEPORT; PM2 is not in the path of a request.
    exec_mode: 'cluster',
    instances: httpProcesses(),
    wait_ready: true,
    // A process that has not said 'ready' by now is taken for ready all the same, and its predecessor is stopped.
    listen_timeout: 10_000,
    kill_timeout: 20_000,
    exp_backoff_restart_delay: 100,
  },
  {
    name: 'penstock-courier',
    script: path.join(root, 'packages/courier/main.ts'),
    cwd: root,
    interpreter,
    node_args: nodeFlags,
    // Never a cluster: two would deliver the events of one order at once. A second one waits for the first to end.
    exec_mode: 'fork',
    instances: 1,
    // Names of receivers are looked up on these: one silent name server must not keep the others waiting.
    env: { UV_THREADPOOL_SIZE: '20' },
    wait_ready: true,
    listen_timeout: 20_000,
    kill_timeout: 10_000,
    exp_backoff_restart_delay: 100,
  },
]
