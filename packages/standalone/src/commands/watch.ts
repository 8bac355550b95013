import { type OperationSnapshot, isTerminal } from '@holdfast/protocol'
import { type Clock, systemClock } from '../clock.js'
import { EXIT, Failure } from '../failure.js'
import { type OutputStream, type Shell, interruption } from '../shell.js'
import { createLiveLine } from '../terminal/live-line.js'
import { renderProgressLine, renderProgressText } from '../terminal/progress-line.js'
import { printable } from '../terminal/text-width.js'
import { type Declare, addRemoteOptions, examples } from './command.js'
import { type Remote, connect, refused } from './remote.js'
import type { RemoteOptions } from './server-access.js'

const REDRAW_MS = 100
const PLAIN_LINE_MS = 1000
const COLUMNS_DEFAULT = 80

/** The flags of `holdfast watch`. */
interface WatchOptions extends RemoteOptions {
  readonly json?: boolean
}

/** Shows what a watcher sees. */
interface Display {
  show(snapshot: OperationSnapshot): void
  /** The watcher lost its connection (with the reason), or has it again. */
  trouble(reason: string | undefined): void
  end(): void
}

/** `holdfast watch`. */
export const declareWatch: Declare = (command, { shell, end }) => {
  command.argument('<operation>', 'id of the operation').option('--json', 'every snapshot as a line of JSON')
  addRemoteOptions(command)
    .addHelpText(
      'after',
      `${examples('holdfast watch index-4f2a', 'holdfast watch import-42 --tenant acme --user ada')}\n${CODES}\n`,
    )
    .action(async (operation: string, options: WatchOptions) => end(await watch(operation, options, shell)))
}

const CODES = 'Ends with 0 when it completed, 1 when it failed, expired or is not there, 3 when it was cancelled.'

/** Shows an operation until it ends; resolves with 0, 1 or 3 as it completed, failed or expired, or was cancelled. */
async function watch(operation: string, options: WatchOptions, shell: Shell): Promise<number> {
  const signal = interruption(shell)
  const remote = await connect(options, shell, signal)
  const display = createDisplay(options, shell)
  const off = remote.client.on('state', ({ state, reason }) => {
    if (!signal.aborted) display.trouble(state === 'open' ? undefined : reason)
  })
  try {
    const last = await follow(remote, operation, display, signal)
    display.end()
    return last === undefined ? EXIT.interrupted : conclude(last, shell)
  } catch (error) {
    display.end()
    if (signal.aborted) return EXIT.interrupted
    throw explain(operation, remote, error)
  } finally {
    off()
    remote.client.disconnect()
  }
}

/** The snapshot that it ended with; undefined when the person did not wait for it. */
async function follow(
  { client }: Remote,
  id: string,
  display: Display,
  signal: AbortSignal,
): Promise<OperationSnapshot | undefined> {
  const job = client.operation(id)
  const stop = (): void => client.disconnect()
  signal.addEventListener('abort', stop, { once: true })
  for await (const snapshot of job) {
    display.show(snapshot)
    if (isTerminal(snapshot.state)) return snapshot
  }
  if (!signal.aborted) throw new Failure(`the connection ended before operation ${id} did`)
  return undefined
}

function conclude({ state, error, id }: OperationSnapshot, shell: Shell): number {
  if (state === 'completed') return EXIT.done
  if (state === 'cancelled') return EXIT.cancelled
  const reason = state === 'failed' ? `failed: ${error?.message ?? 'no reason given'}` : 'expired'
  shell.stderr.write(`${printable(`holdfast: operation ${id} ${reason}`)}\n`)
  return EXIT.failed
}

function explain(id: string, { whom, url }: Remote, error: unknown): Failure {
  const code = (error as { code?: unknown }).code
  if (code === 'not_found' || code === 'permission_denied' || code === 'invalid_channel') {
    return new Failure(printable(`there is no operation ${id} at ${url} that ${whom} may watch`))
  }
  return error instanceof Failure ? error : refused(`not watching ${id}`, error)
}

function createDisplay(options: WatchOptions, { stdout, stderr }: Shell): Display {
  if (options.json) return jsonDisplay(stdout)
  return stdout.isTTY === true ? liveDisplay(stdout, systemClock) : plainDisplay(stdout, stderr, systemClock)
}

function jsonDisplay(stdout: OutputStream): Display {
  return { show: (snapshot) => stdout.write(`${JSON.stringify(snapshot)}\n`), trouble: () => {}, end: () => {} }
}

/** Redraws by the clock as well, for a bar without a percentage and for a terminal that is resized. */
function liveDisplay(stdout: OutputStream, clock: Clock): Display {
  const line = createLiveLine(stdout)
  const startedAt = clock.now()
  let latest: OperationSnapshot | undefined
  let trouble: string | undefined
  const draw = (): void => {
    if (latest === undefined) return
    const columns = (stdout.columns ?? COLUMNS_DEFAULT) - 1
    const ticks = clock.now() - startedAt
    line.draw(renderProgressLine(latest, { columns, ticks, ...(trouble !== undefined && { trouble }) }))
  }
  const stop = clock.every(REDRAW_MS, draw)
  return {
    show: (snapshot) => void (latest = snapshot),
    trouble: (reason) => void (trouble = reason === undefined ? undefined : 'reconnecting'),
    end() {
      stop()
      draw()
      line.end()
    },
  }
}

/** A line a second at most; phases and the end are never left out. */
function plainDisplay(stdout: OutputStream, stderr: OutputStream, clock: Clock): Display {
  let printedAt = 0
  let phase: string | undefined
  let lost = false
  return {
    show(snapshot) {
      const isNews = isTerminal(snapshot.state) || snapshot.progress.phase?.name !== phase
      if (!isNews && clock.now() - printedAt < PLAIN_LINE_MS) return
      printedAt = clock.now()
      phase = snapshot.progress.phase?.name
      stdout.write(`${renderProgressText(snapshot)}\n`)
    },
    trouble(reason) {
      if (reason !== undefined && !lost) stderr.write(`connection lost (${printable(reason)}); reconnecting\n`)
      if (reason === undefined && lost) stderr.write('connected again\n')
      lost = reason !== undefined
    },
    end: () => {},
  }
}
