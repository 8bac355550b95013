import { spawn } from 'node:child_process'
import { systemClock } from '../clock.js'
import { type Configuration, type Flags, loadConfiguration } from '../configuration.js'
import { describeError, EXIT } from '../failure.js'
import { createLog } from '../log.js'
import { type FoundSecret, findSecret } from '../secret.js'
import type { Shell } from '../shell.js'
import { type Standalone, startStandalone } from '../standalone-server.js'
import { VERSION } from '../version.js'

/** The flags of `holdfast serve`. */
export interface ServeOptions extends Flags {
  readonly config?: string
  readonly open?: boolean
}

/** Runs a server until SIGTERM or SIGINT, then drains and ends with 0. A second signal ends at once. */
export async function serve(options: ServeOptions, shell: Shell): Promise<number> {
  const configuration = await loadConfiguration({ flags: options, env: shell.env, file: options.config })
  const found = await findSecret(configuration, shell.cwd)
  const log = createLog(configuration.log, shell.stderr)
  const parts = { configuration, secret: found.secret, log, cwd: shell.cwd, clock: systemClock }
  const stopped = nextSignal(shell)
  const standalone = await startStandalone(parts)
  shell.stdout.write(banner(standalone, configuration, found))
  if (options.open && standalone.demo) openBrowser(standalone.url, shell)
  const signal = await stopped
  log.info({ signal }, 'stopping')
  for (const name of ['SIGINT', 'SIGTERM'] as const) shell.onSignal(name, () => shell.exit(EXIT.interrupted))
  await standalone.drain()
  log.info({}, 'stopped')
  return EXIT.done
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

function banner(standalone: Standalone, { environment }: Configuration, { file, made }: FoundSecret): string {
  const rows = [
    standalone.demo ? ['Demo', `${standalone.url}/`] : [],
    ['WebSocket', standalone.webSocketUrl],
    ['Health', `${standalone.url}/health/ready`],
    file === undefined ? [] : ['Secret', `${file} (${made ? 'made now, ' : ''}for development)`],
    ['Stop', 'Ctrl-C'],
  ].filter((row) => row.length > 0)
  const lines = rows.map(([name = '', value]) => `  ${name.padEnd(10)} ${value}`)
  return `\nHoldfast ${VERSION}, ${environment}, memory engine\n\n${lines.join('\n')}\n\n`
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
