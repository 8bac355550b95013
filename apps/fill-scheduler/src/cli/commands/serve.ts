import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { ServerOptions } from '../../api/server.js'
import { lineLog } from '../log.js'
import { collect, type CommandSetting, type GlobalOptions } from '../options.js'
import { Failure, type Shell } from '../shell.js'

interface ServeOptions extends GlobalOptions {
  readonly host?: string
  readonly port?: string
  readonly dataDir?: string
  readonly databaseUrl?: string
  readonly redisUrl?: string
  readonly origins?: readonly string[]
  readonly hosts?: readonly string[]
  readonly trustedProxies?: readonly string[]
  readonly runsAtATime?: string
  readonly plansMax?: string
  readonly production?: boolean
  readonly example?: boolean
  readonly open?: boolean
}

/** `serve`: the page and the REST API, until Ctrl-C or SIGTERM. */
export function addServe(program: Command, { shell }: CommandSetting): void {
  const command = program
    .command('serve')
    .description('serve the planner’s page and the REST API')
    .option('--host <host>', 'address to listen on (HOST; default 127.0.0.1)')
    .option('--port <port>', 'port to listen on, 0 for any that is free (PORT; default 8000)')
    .option('--data-dir <folder>', 'where everything is kept (FILL_SCHEDULER_DATA_DIR; default .fill-scheduler)')
    .option('--database-url <url>', 'keep plans in PostgreSQL instead, postgres://… (DATABASE_URL)')
    .option('--redis-url <url>', 'several servers work together through Redis, redis://… (REDIS_URL)')
    .option('--origins <origins>', 'pages that may connect, https://… (FILL_SCHEDULER_ORIGINS)', collect)
    .option('--runs-at-a-time <number>', 'how many plans are made side by side')
    .option('--plans-max <number>', 'schedules and comparisons kept for each user (FILL_SCHEDULER_PLANS_MAX; 2000)')
    .option('--production', 'pages that may connect have to be named, see --origins (NODE_ENV=production)')
    .option('--hosts <names>', 'names that the server answers for (FILL_SCHEDULER_HOSTS)', collect)
    .option(
      '--trusted-proxies <addresses>',
      'proxies that are believed whose address they tell (FILL_SCHEDULER_TRUSTED_PROXIES)',
      collect,
    )
    .option('--example', 'with an account that is signed in by a link, and the example lots')
    .option('--open', 'open the page where there is a desktop')
    .action(() => serve(command.optsWithGlobals<ServeOptions>(), shell))
}

async function serve(options: ServeOptions, shell: Shell): Promise<void> {
  const { startServer } = await import('../../api/server.js')
  const server = await startServer(serverOptions(options, shell))
  const address = server.signInUrl ?? server.url
  try {
    shell.stdout.write(`Fill scheduler: ${address}\nREST API: ${new URL('/docs', server.url).href}\nCtrl-C ends it.\n`)
    if (options.open) openPage(address, shell)
    await ended(shell.interrupted)
  } finally {
    await server.close()
  }
}

function serverOptions(options: ServeOptions, { env, cwd, stderr }: Shell): ServerOptions {
  const production = options.production ?? env['NODE_ENV'] === 'production'
  const databaseUrl = options.databaseUrl ?? env['DATABASE_URL']
  const redisUrl = options.redisUrl ?? env['REDIS_URL']
  const secret = env['FILL_SCHEDULER_SECRET']
  const origins = options.origins ?? listOf(env['FILL_SCHEDULER_ORIGINS'])
  const hosts = options.hosts ?? listOf(env['FILL_SCHEDULER_HOSTS'])
  const trustedProxies = options.trustedProxies ?? listOf(env['FILL_SCHEDULER_TRUSTED_PROXIES'])
  const { runsAtATime, plansMax = env['FILL_SCHEDULER_PLANS_MAX'] } = options
  return {
    host: options.host ?? env['HOST'] ?? '127.0.0.1',
    port: wholeNumber('--port', options.port ?? env['PORT'] ?? '8000', 0, 65_535),
    dataDir: resolve(cwd, options.dataDir ?? env['FILL_SCHEDULER_DATA_DIR'] ?? '.fill-scheduler'),
    environment: production ? 'production' : 'development',
    example: options.example ?? false,
    log: lineLog(stderr, options.verbose ? 'debug' : production ? 'info' : 'warn'),
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
    ...(redisUrl === undefined ? {} : { redisUrl }),
    ...(secret === undefined ? {} : { secret }),
    ...(origins === undefined ? {} : { origins }),
    ...(hosts === undefined ? {} : { hosts }),
    ...(trustedProxies === undefined ? {} : { trustedProxies }),
    ...(plansMax === undefined ? {} : { bounds: { plansMax: wholeNumber('--plans-max', plansMax, 1, 1_000_000) } }),
    ...(runsAtATime === undefined ? {} : { runsAtATime: wholeNumber('--runs-at-a-time', runsAtATime, 1, 64) }),
  }
}

function wholeNumber(option: string, text: string, min: number, max: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= min && value <= max) return value
  throw new Failure(`${option} must be a whole number from ${min} to ${max}, received "${text}"`)
}

function listOf(text: string | undefined): readonly string[] | undefined {
  return text === undefined ? undefined : collect(text)
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** On a desktop only; that there is none is no error. */
function openPage(address: string, { env, stdout }: Shell): void {
  if (!stdout.isTTY || env['CI'] !== undefined) return
  const desktop = env['DISPLAY'] ?? env['WAYLAND_DISPLAY']
  const command = process.platform === 'darwin' ? 'open' : desktop === undefined ? undefined : 'xdg-open'
  if (command === undefined) return
  spawn(command, [address], { stdio: 'ignore', detached: true })
    .on('error', () => {})
    .unref()
}
