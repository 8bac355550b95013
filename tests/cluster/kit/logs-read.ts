import type { Entry, Place, Present, Where } from './facts.js'
import type { History } from './history.js'
import type { NodeProcess } from './node-process.js'
import { type Payload, hashOf, publishName } from './payload.js'

const PAGE_MESSAGES = 5_000

/** The end of each channel, as a node reads it now. */
export function readTops(node: NodeProcess, channels: readonly Where[]): Promise<(Where & Place)[]> {
  return Promise.all(
    channels.map(async ({ tenant, channel }) => {
      const { epoch, messages } = await node.ask('history', { tenant, channel, range: { limit: 1 } })
      return { tenant, channel, epoch, offset: messages.at(-1)?.offset ?? 0 }
    }),
  )
}

/** Writes down everything that a node reads of each channel. */
export async function noteLogs(history: History, node: NodeProcess, channels: readonly Where[]): Promise<void> {
  for (const where of channels) {
    const { epoch } = await node.ask('history', { ...where, range: { limit: 1 } })
    const entries: Entry[] = []
    for (;;) {
      const since = { epoch, offset: entries.at(-1)?.[0] ?? 0 }
      const page = await node.ask('history', { ...where, range: { since, limit: PAGE_MESSAGES } })
      for (const { offset, id, data } of page.messages)
        entries.push([offset, id, publishName(data as Payload), hashOf(data as Payload)])
      if (!page.more || page.messages.length === 0) break
    }
    history.note({ t: 'log', ...where, node: node.name, epoch, entries })
  }
}

/** Writes down whom a node names in each channel. */
export async function notePresence(history: History, node: NodeProcess, channels: readonly Where[]): Promise<void> {
  for (const where of channels) {
    const { members } = await node.ask('presence', where)
    const there = members.map(({ user, connections }): Present => [user, connections])
    history.note({ t: 'presence-read', ...where, node: node.name, members: there })
  }
}
