import { isChannelName } from '@holdfast/protocol'
import { timestamp } from '../../clock.js'
import { HoldfastError } from '../../core/errors.js'
import type { PublishResult } from '../../tenant.js'
import { ApiRefusal } from '../api-error.js'
import type { Call } from '../route.js'

/** A message or signal of a bearer. */
export interface Sent {
  readonly channel: string
  readonly event: string
  readonly data: unknown
  /** The path of `data` in the body. */
  readonly path: string
  readonly key?: string | undefined
}

/** What of a call sending needs. */
type Sending = Pick<Call, 'node' | 'bearer' | 'textOf'>

/** The event of a message that names none. */
export const USUAL_EVENT = 'message'

/** Publishes for a bearer what a connection of the same identity could publish: the same rules, guards, quotas, and lines in the log. @throws HoldfastError as the command. */
export async function publish(call: Sending, sent: Sent): Promise<PublishResult> {
  const { node, bearer } = call
  const { authorisation, publisher, clock } = node.services
  const { channel, event, data, key } = sent
  const json = textOf(call, sent)
  const wish = { verb: 'publish', channel: named(channel), event } as const
  const rule = await authorisation.require(bearer, wish)
  authorisation.checkSender(bearer, wish, rule, { value: data, json })
  const { tenant, user } = bearer.identity
  const outcome = await publisher.publish(
    {
      stream: { tenant, channel },
      event,
      data: json,
      from: { user },
      at: timestamp(clock.now()),
      retention: rule.retention,
      ...(key !== undefined && { idempotency: { scope: user, key } }),
    },
    rule,
  )
  if (outcome.kind !== 'published') throw new HoldfastError('idempotency_conflict')
  const { epoch, offset, id, duplicate } = outcome
  return { epoch, offset, id, duplicate }
}

/** Sends a signal, likewise. */
export async function signal(call: Sending, sent: Sent): Promise<void> {
  const { node, bearer } = call
  const { authorisation, publisher, clock } = node.services
  const { channel, event, data } = sent
  const json = textOf(call, sent)
  const wish = { verb: 'signal', channel: named(channel), event } as const
  const rule = await authorisation.require(bearer, wish)
  authorisation.checkSender(bearer, wish, rule, { value: data, json })
  const { tenant, user } = bearer.identity
  const at = timestamp(clock.now())
  await publisher.signal({ tenant, channel }, { event, data: json, from: { user }, at }, rule)
}

function named(channel: string): string {
  if (isChannelName(channel)) return channel
  throw new ApiRefusal('invalid_channel', 'channel must be a channel name such as room:42', { field: 'channel' })
}

/** The text of the data as it came, on one line: frames and event streams end with a line. Line breaks stand between tokens only. */
function textOf({ node, textOf: find }: Sending, { path }: Sent): string {
  const json = (find(path) ?? 'null').replace(/[\n\r]+[ \t]*/g, '')
  const { messageBytesMax } = node.services.limits
  if (Buffer.byteLength(json) <= messageBytesMax) return json
  throw new ApiRefusal('limit_exceeded', `${path} must be at most ${messageBytesMax} bytes`, { field: path })
}
