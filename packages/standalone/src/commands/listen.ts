import { EXIT, Failure } from '../failure.js'
import { type Shell, interruption } from '../shell.js'
import { renderGapLine, renderMessageLine } from '../terminal/message-line.js'
import { type Declare, addRemoteOptions, examples } from './command.js'
import { connect, refused } from './remote.js'
import type { RemoteOptions } from './server-access.js'
import { untilEnded } from './until-ended.js'

/** The flags of `holdfast listen`. */
interface ListenOptions extends RemoteOptions {
  readonly since?: string
  readonly json?: boolean
}

/** `holdfast listen`. */
export const declareListen: Declare = (command, { shell, end }) => {
  command
    .argument('<channel>', 'channel, such as room:lobby')
    .option('--since <since>', 'begin with the newest N messages: newest:10')
    .option('--json', 'lines of JSON, also on a terminal')
  addRemoteOptions(command)
    .addHelpText(
      'after',
      examples('holdfast listen room:lobby --tenant demo', 'holdfast listen room:lobby --since newest:10 --json'),
    )
    .action(async (channel: string, options: ListenOptions) => end(await listen(channel, options, shell)))
}

/** Prints the messages of a channel until Ctrl-C: lines for people on a terminal, lines of JSON elsewhere. */
async function listen(channel: string, options: ListenOptions, shell: Shell): Promise<number> {
  const since = checkSince(options.since)
  const signal = interruption(shell)
  const remote = await connect(options, shell, signal)
  const room = remote.client.channel(channel)
  const json = options.json === true || shell.stdout.isTTY !== true
  const tell = (text: string): void => void shell.stderr.write(`${text}\n`)
  room.on('*', (message) => {
    // Signals are not part of the stream.
    if (message.id !== undefined) shell.stdout.write(`${json ? JSON.stringify(message) : renderMessageLine(message)}\n`)
  })
  room.on('gap', (gap) => tell(renderGapLine(gap)))
  const ended = untilEnded(remote, room, signal, tell)
  try {
    await room.subscribe({ ...(since !== undefined && { since }) })
    tell(`listening to ${channel} as ${remote.whom}; Ctrl-C ends`)
    return await ended
  } catch (error) {
    if (signal.aborted) return EXIT.interrupted
    throw error instanceof Failure ? error : refused(`not listening to ${channel}`, error)
  } finally {
    remote.client.disconnect()
  }
}

function checkSince(since: string | undefined): string | undefined {
  if (since === undefined || /^newest:\d{1,4}$/.test(since)) return since
  throw new Failure(`--since must be newest:N with N from 0 to 9999, received ${JSON.stringify(since)}`, EXIT.usage)
}
