import { EXIT } from '../failure.js'
import type { Shell } from '../shell.js'
import { type ShownMessage, renderMessageLine } from '../terminal/message-line.js'
import { printJson, wantsJson } from './answer-output.js'
import { apiOf, because } from './api.js'
import { type Declare, addRemoteOptions, examples } from './command.js'
import { wholeOption } from './number-option.js'
import { type RemoteOptions, findServer } from './server-access.js'

interface HistoryOptions extends RemoteOptions {
  readonly limit: number
  readonly since?: string
  readonly before?: string
  readonly json?: boolean
}

interface Page {
  readonly items: readonly ShownMessage[]
  readonly next?: string
}

/** `holdfast history`. */
export const declareHistory: Declare = (command, { shell, end }) => {
  command
    .argument('<channel>', 'channel, such as room:lobby')
    .option('--limit <count>', 'how many messages at most', wholeOption(1, 10_000), 50)
    .option('--since <position>', 'those after this position: epoch.offset')
    .option('--before <position>', 'those before this position')
    .option('--json', 'lines of JSON, also on a terminal')
  addRemoteOptions(command)
    .addHelpText('after', examples('holdfast history room:lobby --limit 20', 'holdfast history room:lobby | jq .data'))
    .action(async (channel: string, options: HistoryOptions) => end(await history(channel, options, shell)))
}

/** Prints stored messages, the oldest first: the newest ones, unless a position is named. */
async function history(channel: string, options: HistoryOptions, shell: Shell): Promise<number> {
  const access = await findServer(options, shell)
  try {
    const messages = await read(options, (query) =>
      apiOf(access).ask<Page>({ path: ['channels', channel, 'messages'], query }),
    )
    for (const message of messages) {
      if (wantsJson(options, shell)) printJson(message, shell)
      else shell.stdout.write(`${renderMessageLine(message)}\n`)
    }
    return EXIT.done
  } catch (error) {
    throw because(`no history of ${channel}`, error)
  }
}

const PAGE_MAX = 100

/** Pages go forward from `since`, and backward else. */
async function read(
  { limit, since, before }: HistoryOptions,
  ask: (query: Record<string, string | number | undefined>) => Promise<Page>,
): Promise<readonly ShownMessage[]> {
  let messages: readonly ShownMessage[] = []
  let place = { since, before }
  for (;;) {
    const { items, next } = await ask({ ...place, limit: Math.min(limit - messages.length, PAGE_MAX) })
    messages = since === undefined ? [...items, ...messages] : [...messages, ...items]
    if (next === undefined || messages.length >= limit || items.length === 0) return messages
    place = since === undefined ? { since, before: next } : { since: next, before }
  }
}
