import { type OperationSnapshot, isTerminal } from '@holdfast/protocol'
import { systemClock } from '../clock.js'
import { EXIT, Failure, describeError } from '../failure.js'
import { type Shell, interruption } from '../shell.js'
import { isLive, paletteOf } from '../terminal/palette.js'
import { type ProgressDisplay, jsonDisplay, liveDisplay, plainDisplay } from '../terminal/progress-display.js'
import { printable } from '../terminal/text-width.js'
import { type Declare, addRemoteOptions, examples } from './command.js'
import { type Remote, connect, refused } from './remote.js'
import type { RemoteOptions } from './server-access.js'

/** The flags of `holdfast watch`. */
interface WatchOptions extends RemoteOptions {
  readonly json?: boolean
}

/** `holdfast watch`. */
export const declareWatch: Declare = (command, { shell, end }) => {
  command.argument('<operation...>', 'ids of the operations').option('--json', 'every snapshot as a line of JSON')
  addRemoteOptions(command)
    .addHelpText(
      'after',
      `${examples(
        'holdfast watch index-4f2a',
        'holdfast watch import-42 import-43 --tenant acme --user ada',
      )}\n${CODES}\n`,
    )
    .action(async (operations: readonly string[], options: WatchOptions) => {
      end(await watch([...new Set(operations)], options, shell))
    })
}

const CODES =
  'Ends with 0 when all have completed, 1 when one failed, expired or is not there, 3 when one was cancelled.'

/** Shows operations until all of them have ended; resolves with 0, 1 or 3. */
async function watch(ids: readonly string[], options: WatchOptions, shell: Shell): Promise<number> {
  const signal = interruption(shell)
  const remote = await connect(options, shell, signal)
  const display = createDisplay(ids, options, shell)
  const off = remote.client.on('state', ({ state, reason }) => {
    if (!signal.aborted) display.trouble(state === 'open' ? undefined : reason || 'no reason given')
  })
  const stop = (): void => remote.client.disconnect()
  signal.addEventListener('abort', stop, { once: true })
  try {
    const outcomes = await Promise.all(ids.map((id) => follow(remote, id, display)))
    display.end()
    return signal.aborted ? EXIT.interrupted : conclude(outcomes, shell)
  } finally {
    off()
    stop()
  }
}

/** The snapshot that it ended with, or why there is none. */
async function follow(remote: Remote, id: string, display: ProgressDisplay): Promise<OperationSnapshot | Failure> {
  try {
    for await (const snapshot of remote.client.operation(id)) {
      display.show(snapshot)
      if (isTerminal(snapshot.state)) return snapshot
    }
    return new Failure(`the connection ended before operation ${id} did`)
  } catch (error) {
    return explain(id, remote, error)
  }
}

/** The worst of them is how the command ends; what did not go well is said. */
function conclude(outcomes: readonly (OperationSnapshot | Failure)[], shell: Shell): number {
  const codes = outcomes.map((outcome) => {
    if (outcome instanceof Failure) return tell(describeError(outcome), shell)
    const { state, error, id } = outcome
    if (state === 'completed') return EXIT.done
    if (state === 'cancelled') return EXIT.cancelled
    return tell(
      `operation ${id} ${state === 'failed' ? `failed: ${error?.message ?? 'no reason given'}` : state}`,
      shell,
    )
  })
  return [EXIT.failed, EXIT.cancelled].find((code) => codes.includes(code)) ?? EXIT.done
}

function tell(text: string, { stderr }: Shell): typeof EXIT.failed {
  stderr.write(`${printable(`holdfast: ${text}`)}\n`)
  return EXIT.failed
}

function explain(id: string, { whom, url }: Remote, error: unknown): Failure {
  const code = (error as { code?: unknown }).code
  if (code === 'not_found' || code === 'permission_denied' || code === 'invalid_channel') {
    return new Failure(printable(`there is no operation ${id} at ${url} that ${whom} may watch`))
  }
  return error instanceof Failure ? error : refused(`not watching ${id}`, error)
}

function createDisplay(ids: readonly string[], options: WatchOptions, shell: Shell): ProgressDisplay {
  const { stdout, env } = shell
  if (options.json) return jsonDisplay(stdout)
  if (!isLive(stdout, env)) return plainDisplay(shell, systemClock, ids)
  return liveDisplay({ stdout, clock: systemClock, palette: paletteOf(stdout, env), ids })
}
