import type { StreamPosts } from './core/nodes/stream-posts.js'
import type { Services } from './core/services.js'
import type { EventStreamDoor } from './event-stream.js'
import { EventStreams } from './transport/event-streams.js'
import type { Acceptor } from './transport/transport.js'

/** What the door to event streams is made of. */
export interface EventStreamDoorParts {
  readonly acceptor: Acceptor
  readonly posts: StreamPosts
  readonly services: Pick<Services, 'clock' | 'random' | 'limits'>
}

/** The answer to a request as Node has it, as far as it is needed to give it up. */
interface NodeAnswer {
  readonly writableFinished: boolean
  destroy(): unknown
}

/** Answers that Node has, by their requests. */
const answers = new WeakMap<Request, NodeAnswer>()

/** Remembers what Node answers a request with: a fetch-style response cannot be cut off by itself. */
export function tieAnswer(request: Request, outgoing: unknown): void {
  if (typeof outgoing === 'object' && outgoing !== null && 'writableFinished' in outgoing && 'destroy' in outgoing)
    answers.set(request, outgoing as NodeAnswer)
}

/** Puts the event streams of a node together. */
export function eventStreamDoor({ acceptor, posts, services }: EventStreamDoorParts): EventStreamDoor {
  const { clock, random, limits } = services
  const streams = new EventStreams({ acceptor, clock, random, messageBytesMax: limits.messageBytesMax })
  posts.serve((id, post) => streams.take(id, post))
  return {
    channel: (visit, question) => streams.channel(visit, question),
    operation: (visit, question) => streams.operation(visit, question),
    open: (visit) => streams.open(visit, posts.issue()),
    post: (key, post) => posts.post(key, post),
    abandonOf(request) {
      const answer = answers.get(request)
      return answer && (() => void (answer.writableFinished || answer.destroy()))
    },
  }
}
