import { timestamp, type Clock } from '../clock.js'
import type { ControlAsk } from '../core/nodes/control-messages.js'
import type { ControlDesk } from '../core/nodes/control.js'
import type { Hub } from '../core/channels/hub.js'
import type { Peers } from '../core/nodes/peers.js'
import { type Rules, SYSTEM } from '../core/services.js'
import type { Engine, StreamMessage } from '../engine/engine.js'

/** A notification that the devices of its user are to be reminded of. */
export type Reminder = ControlAsk<'inbox.remind'>['items'][number]

/** What reminders work with. */
export interface RemindersParts {
  readonly engine: Pick<Engine, 'read'>
  readonly clock: Pick<Clock, 'now'>
  readonly node: string
  readonly control: Pick<ControlDesk, 'on' | 'askAll'>
  readonly peers: Pick<Peers, 'live'>
  readonly hub: Pick<Hub, 'find'>
  readonly rules: Pick<Rules, 'ruleOf'>
}

/** The signal by which devices are reminded. */
const REMINDER_EVENT = 'reminder'

/** Reminds the devices of users of notifications that nobody has confirmed, on whatever nodes they are. */
export class Reminders {
  readonly #parts: RemindersParts

  constructor(parts: RemindersParts) {
    this.#parts = parts
    parts.control.on('inbox.remind', ({ items }) => this.#here(items))
  }

  /** Reminds; answers for each how many devices there were, on those nodes that answered within a second. Rejects when the engine cannot be reached. */
  async everywhere(items: readonly Reminder[]): Promise<readonly number[]> {
    const { node, control, peers } = this.#parts
    if (items.length === 0) return []
    const nodes = new Set([node, ...(await peers.live())])
    // What is asked of all is asked of this node, too.
    const answers =
      nodes.size > 1 ? await control.askAll([...nodes], 'inbox.remind', { items }) : [await this.#here(items)]
    return items.map((_, at) => answers.reduce((sum, counts) => sum + (counts[at] ?? 0), 0))
  }

  #here(items: readonly Reminder[]): Promise<number[]> {
    return Promise.all(items.map((item) => this.#remind(item)))
  }

  async #remind({ tenant, channel, epoch, offset, reminder }: Reminder): Promise<number> {
    const topic = this.#parts.hub.find({ tenant, channel })
    const devices = topic?.devices ?? 0
    if (topic === undefined || devices === 0 || reminder === 0) return devices
    const message = await this.#read({ tenant, channel, epoch, offset })
    if (message === undefined) return devices
    const at = timestamp(this.#parts.clock.now())
    topic.signal({ event: REMINDER_EVENT, data: withPlace(message.data, offset, reminder), from: SYSTEM, at })
    return topic.devices
  }

  async #read({
    tenant,
    channel,
    epoch,
    offset,
  }: Pick<Reminder, 'tenant' | 'channel' | 'epoch' | 'offset'>): Promise<StreamMessage | undefined> {
    const { engine, rules } = this.#parts
    const retention = rules.ruleOf(channel, undefined)?.retention
    if (retention === undefined) return undefined
    const range = { from: offset, limit: 1, bytesMax: Infinity, keep: 'oldest' } as const
    const page = await engine.read({ tenant, channel }, retention, range)
    return page.epoch === epoch ? page.messages.find((message) => message.offset === offset) : undefined
  }
}

/** The notification with what is needed to acknowledge it. Its data is an object, because it is ours. */
function withPlace(data: string, offset: number, reminder: number): string {
  return `${data.slice(0, -1)},"offset":${offset},"reminder":${reminder}}`
}
