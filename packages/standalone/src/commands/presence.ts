import type { Counts, Member } from '@holdfast/protocol'
import { EXIT, Failure } from '../failure.js'
import { type Shell, interruption } from '../shell.js'
import { printable } from '../terminal/text-width.js'
import { printJson, printTable, wantsJson } from './answer-output.js'
import { apiOf, because } from './api.js'
import { type Declare, addRemoteOptions, examples } from './command.js'
import { wholeOption } from './number-option.js'
import { connect, refused } from './remote.js'
import { type RemoteOptions, findServer } from './server-access.js'
import { untilEnded } from './until-ended.js'

interface PresenceOptions extends RemoteOptions {
  readonly limit: number
  readonly watch?: boolean
  readonly json?: boolean
}

/** `holdfast presence`. */
export const declarePresence: Declare = (command, { shell, end }) => {
  command
    .argument('<channel>', 'channel, such as room:lobby')
    .option('--limit <count>', 'how many members at most', wholeOption(1, 1_000), 50)
    .option('--watch', 'print who comes and goes until Ctrl-C; joins the channel itself')
    .option('--json', 'JSON, also on a terminal')
  addRemoteOptions(command)
    .addHelpText('after', examples('holdfast presence room:lobby', 'holdfast presence room:lobby --watch'))
    .action(async (channel: string, options: PresenceOptions) => {
      end(await (options.watch ? watchPresence : presence)(channel, options, shell))
    })
}

/** Prints who is in a channel. */
async function presence(channel: string, options: PresenceOptions, shell: Shell): Promise<number> {
  const access = await findServer(options, shell)
  try {
    const path = ['channels', channel, 'presence']
    const query = { limit: options.limit }
    const { members, counts } = await apiOf(access).ask<{ members: Member[]; counts: Counts }>({ path, query })
    if (wantsJson(options, shell)) printJson({ members, counts }, shell)
    else printMembers(members, counts, shell)
    return EXIT.done
  } catch (error) {
    throw because(`no presence of ${channel}`, error)
  }
}

function printMembers(members: readonly Member[], counts: Counts, shell: Shell): void {
  const rows = members.map(({ user, connections, info }) => [user, String(connections), JSON.stringify(info) ?? ''])
  printTable(['USER', 'CONNECTIONS', 'INFO'], rows, shell)
  shell.stdout.write(`${counts.members} members, ${counts.connections} connections\n`)
}

/** Prints who comes and goes. Whoever watches is a member, too. */
async function watchPresence(channel: string, options: PresenceOptions, shell: Shell): Promise<number> {
  const signal = interruption(shell)
  const remote = await connect(options, shell, signal)
  const room = remote.client.channel(channel)
  const print = (change: string, member: Member): void => {
    const { user, info, connections } = member
    if (wantsJson(options, shell))
      return printJson({ change, user, connections, info, counts: room.presence.counts }, shell)
    shell.stdout.write(
      `${printable(`${MARKS[change] ?? ' '} ${user}  ${info === undefined ? '' : JSON.stringify(info)}`).trimEnd()}\n`,
    )
  }
  for (const change of ['joined', 'left', 'updated'] as const)
    room.presence.on(change, (member) => print(change, member))
  const ended = untilEnded(remote, room, signal, (text) => void shell.stderr.write(`${text}\n`))
  try {
    await room.subscribe({ presence: true })
    return await ended
  } catch (error) {
    if (signal.aborted) return EXIT.interrupted
    throw error instanceof Failure ? error : refused(`no presence of ${channel}`, error)
  } finally {
    remote.client.disconnect()
  }
}

const MARKS: Readonly<Record<string, string>> = { joined: '+', left: '-', updated: '~' }
