import { Holdfast } from '@holdfast/client'
import { fallbackWebSocket } from '@holdfast/client/event-stream'

// A page that does what pages do, and keeps what it heard where the tests find it.

const user = new URLSearchParams(location.search).get('user') ?? 'ada'

const client = new Holdfast('/ws', {
  token: async () => (await fetch(`/token?user=${user}`)).text(),
  WebSocket: fallbackWebSocket({ patienceMs: 1_000 }),
  backoff: { minMs: 50, maxMs: 300 },
})

const heard: unknown[] = []
const verdicts: string[] = []
const room = client.channel('room:1')
room.on('chat', ({ data }) => void heard.push(data))
room.on('subscribed', ({ recovered }) => void verdicts.push(recovered))
const begun = room.subscribe({ presence: true })

/** What the tests ask of the page. */
const page = {
  heard,
  verdicts,
  begun: async () => (await begun).recovered,
  status: () => client.status,
  members: () => [...room.presence.members.keys()].sort(),
  publish: (data: unknown) => room.publish('chat', data).then(({ offset }) => offset),
  async operation(id: string) {
    const percents: unknown[] = []
    const operation = client.operation(id)
    operation.on('progress', ({ percent }) => void percents.push(percent))
    const result = await operation.done
    return { percents, result }
  },
  /** Follows a channel by the browser's own means. */
  follow(channel: string, credential: string) {
    const events: { id: string; offset: number }[] = []
    const source = new EventSource(`/api/v1/channels/${channel}/events?token=${credential}`)
    source.addEventListener('message', (event) => {
      const { lastEventId, data } = event as MessageEvent<string>
      events.push({ id: lastEventId, offset: (JSON.parse(data) as { offset: number }).offset })
    })
    return { events, state: () => source.readyState }
  },
}

Object.assign(globalThis, { page })

/** What the tests find in the page. */
export type TestPage = typeof page
