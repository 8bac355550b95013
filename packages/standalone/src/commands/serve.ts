import { spawn } from 'node:child_process'
import { systemClock } from '../clock.js'
import { type Configuration, type Flags, loadConfiguration } from '../configuration.js'
import { type EngineChoice, engineName, isShared } from '../engine-choice.js'
import { describeError, EXIT, Failure } from '../failure.js'
import { createLog } from '../log.js'
import { type FoundSecret, findSecret } from '../secret.js'
import type { Shell } from '../shell.js'
import { startStandalone } from '../standalone-server.js'
import { VERSION } from '../version.js'
import type { Order, Serving, WorkerTie } from '../workers/worker-tie.js'
import { type Declare, configOption, examples } from './command.js'

/** The flags of `holdfast serve`. */
interface ServeOptions extends Flags {
  readonly config?: string
  readonly open?: boolean
}

/** `holdfast serve`. */
export const declareServe: Declare = (command, { shell, end }) => {
  command
    .option('--port <port>', 'port to listen on (PORT; default 8000)')
    .option('--host <host>', 'address to listen on (HOST; default 127.0.0.1)')
    .option('--engine <engine>', 'memory, disk, or a redis:// address (REDIS_URL; default memory, in production disk)')
    .option('--data-dir <directory>', 'where the disk engine keeps its state (HOLDFAST_DATA_DIR; default .holdfast)')
    .option('--workers <count>', 'processes that serve together through Redis: a number, or auto (HOLDFAST_WORKERS)')
    .addOption(configOption())
    .option('--demo', 'serve the demo at / (development only, where it is the default)')
    .option('--no-demo', 'do not serve the demo')
    .option('--open', 'open the demo where there is a desktop')
    .addHelpText(
      'after',
      examples(
        'holdfast serve --demo --open',
        'PORT=9000 holdfast serve --data-dir ./data',
        'holdfast serve --engine redis://127.0.0.1:6379 --workers auto',
        'holdfast serve --config holdfast.yaml',
      ),
    )
    .action(async (options: ServeOptions) => end(await serve(options, shell)))
}

/** Runs a server until SIGTERM or SIGINT, then drains and ends with 0. A second signal ends at once. */
async function serve(options: ServeOptions, shell: Shell): Promise<number> {
  try {
    return await serveFrom(await loadSettings(options, shell), options, shell)
  } finally {
    shell.worker?.leave()
  }
}

interface Settings {
  readonly configuration: Configuration
  readonly found: FoundSecret
}

async function loadSettings(options: ServeOptions, shell: Shell): Promise<Settings> {
  const configuration = await loadConfiguration({ flags: options, env: shell.env, file: options.config })
  return { configuration, found: await findSecret(configuration, shell.cwd) }
}

async function serveFrom({ configuration, found }: Settings, { open }: ServeOptions, shell: Shell): Promise<number> {
  const begun = (serving: Serving): void => {
    shell.stdout.write(banner(serving, configuration, found))
    if (open && serving.demo) openBrowser(serving.url, shell)
  }
  if (shell.worker !== undefined) return serveAsWorker(shell.worker, configuration, found, shell)
  const { workers } = configuration
  if (workers === undefined) return serveAlone(configuration, found, shell, begun)
  requireShared(configuration.engine)
  const { serveWorkers } = await import('../workers/serve-workers.js')
  return serveWorkers({ configuration, count: workers, shell, begun })
}

function requireShared(engine: EngineChoice): void {
  if (isShared(engine)) return
  const needed = 'an engine that processes share: --engine redis://127.0.0.1:6379, or REDIS_URL'
  throw new Failure(`workers (--workers, HOLDFAST_WORKERS) need ${needed}, received ${engineName(engine)}`, EXIT.usage)
}

async function serveAlone(
  configuration: Configuration,
  { secret }: FoundSecret,
  shell: Shell,
  begun: (serving: Serving) => void,
): Promise<number> {
  const log = createLog(configuration.log, shell.stderr)
  const stopped = nextSignal(shell)
  const standalone = await startStandalone({ configuration, secret, log, cwd: shell.cwd, clock: systemClock })
  begun(standalone)
  const signal = await stopped
  log.info({ signal }, 'stopping')
  for (const name of ['SIGINT', 'SIGTERM'] as const) shell.onSignal(name, () => shell.exit(EXIT.interrupted))
  await standalone.drain()
  log.info({}, 'stopped')
  return EXIT.done
}

/** As one of several: told by the process that started it when to end, and how. */
async function serveAsWorker(
  worker: WorkerTie,
  configuration: Configuration,
  { secret }: FoundSecret,
  shell: Shell,
): Promise<number> {
  const log = createLog(configuration.log, shell.stderr).child({ worker: worker.place })
  const ordered = nextOrder(worker, shell)
  const standalone = await startStandalone({ configuration, secret, log, cwd: shell.cwd, clock: systemClock })
  const { url, webSocketUrl, demo } = standalone
  worker.report({ kind: 'listening', serving: { url, webSocketUrl, demo } })
  void standalone.ready().then((isReady) => isReady && worker.report({ kind: 'ready' }))
  const order = await ordered
  log.info({ order }, 'stopping')
  await standalone.drain(order)
  log.info({}, 'stopped')
  return EXIT.done
}

/** Signals of a terminal reach every process of its group; what follows from them is for the one that started this one to say. */
function nextOrder(worker: WorkerTie, shell: Shell): Promise<Order> {
  for (const name of ['SIGINT', 'SIGHUP'] as const) shell.onSignal(name, () => undefined)
  return new Promise((resolve) => {
    worker.onOrder(resolve)
    shell.onSignal('SIGTERM', () => resolve('retire'))
  })
}

function nextSignal(shell: Shell): Promise<string> {
  return new Promise((resolve) => {
    const undo = (['SIGINT', 'SIGTERM'] as const).map((name) =>
      shell.onSignal(name, () => {
        for (const off of undo) off()
        resolve(name)
      }),
    )
  })
}

function banner(serving: Serving, configuration: Configuration, { file, made }: FoundSecret): string {
  const { environment, engine, workers } = configuration
  const rows = [
    serving.demo ? ['Demo', `${serving.url}/`] : [],
    ['WebSocket', serving.webSocketUrl],
    ['Health', `${serving.url}/health/ready`],
    file === undefined ? [] : ['Secret', `${file} (${made ? 'made now, ' : ''}for development)`],
    ['Stop', 'Ctrl-C'],
  ].filter((row) => row.length > 0)
  const lines = rows.map(([name = '', value]) => `  ${name.padEnd(10)} ${value}`)
  const among = workers === undefined ? '' : `, ${workers} ${workers === 1 ? 'worker' : 'workers'}`
  return `\nHoldfast ${VERSION}, ${environment}, ${engineName(engine)} engine${among}\n\n${lines.join('\n')}\n\n`
}

/** Opens the page where there is a desktop to open it on; elsewhere the address has been printed. */
function openBrowser(url: string, { env, stdout, stderr }: Shell): void {
  const command = browserCommand(env)
  if (command === undefined || !stdout.isTTY || env['CI']) return
  const child = spawn(command, [url], { stdio: 'ignore', detached: true })
  child.on('error', (error) => stderr.write(`No browser could be opened: ${describeError(error)}\n`))
  child.unref()
}

function browserCommand(env: NodeJS.ProcessEnv): string | undefined {
  if (process.platform === 'darwin') return 'open'
  if (process.platform === 'win32') return 'explorer'
  return env['DISPLAY'] || env['WAYLAND_DISPLAY'] ? 'xdg-open' : undefined
}
