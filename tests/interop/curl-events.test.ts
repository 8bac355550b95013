import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { signToken } from '@holdfast/server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../kit/deadline.js'
import { SECRET, ServerProcess } from '../kit/server-process.js'
import { WireClient } from '../kit/wire-client.js'

// A reader that we did not write, against the server as it is started by a user.

let server: ServerProcess
let publisher: WireClient
const token = signToken({ secret: SECRET, tenant: 'acme', user: 'ada' })

beforeAll(async () => {
  server = await ServerProcess.start({
    channels: { 'room:*': { publish: 'member', history: { size: 500, ttl: '1h' } } },
  })
  publisher = await WireClient.welcomed(server.url, { token })
})

afterAll(async () => {
  await publisher?.break()
  await server?.kill()
})

/** `curl -N` on the events of a channel. */
class Curl {
  text = ''
  readonly process: ChildProcess

  constructor(channel: string, lastId?: string) {
    const address = `http://127.0.0.1:${server.port}/api/v1/channels/${channel}/events`
    const last = lastId === undefined ? [] : ['-H', `Last-Event-ID: ${lastId}`]
    this.process = spawn('curl', ['-sSN', '-H', `Authorization: Bearer ${token}`, ...last, address])
    this.process.stdout?.setEncoding('utf8').on('data', (text: string) => (this.text += text))
  }

  /** The ids of the messages, in order. */
  get ids(): string[] {
    return [...this.text.matchAll(/^id: (\S+)\nevent: message\n/gm)].map(([, id = '']) => id)
  }

  /** What was published, in order. */
  get numbers(): number[] {
    return [...this.text.matchAll(/^event: message\n.*?"data":(\d+),/gm)].map(([, n]) => Number(n))
  }

  /** The data of the verdict. */
  get verdict(): unknown {
    const [, data] = /^event: subscribed\ndata: (.*)\n\n/m.exec(this.text) ?? []
    return data && JSON.parse(data)
  }

  async kill(): Promise<void> {
    const gone = once(this.process, 'exit')
    this.process.kill('SIGKILL')
    await gone
  }
}

const publish = (channel: string, n: number): void =>
  publisher.send({ type: 'publish', channel, event: 'chat', data: n })

describe('curl', () => {
  it('goes on behind Last-Event-ID without loss or repetition, while somebody publishes', async () => {
    let published = 0
    const load = setInterval(() => publish('room:1', (published += 1)), 2)
    const read: number[] = []
    let lastId: string | undefined
    for (let round = 0; round < 6; round += 1) {
      const curl = new Curl('room:1', lastId)
      const wanted = read.length + 25
      await eventually('it has read on', () => read.length + curl.numbers.length >= wanted)
      await curl.kill()
      const { numbers, ids } = curl
      expect(ids).toHaveLength(numbers.length)
      read.push(...numbers)
      lastId = ids.at(-1)
    }
    clearInterval(load)
    const [first = 0] = read
    expect(read).toEqual(read.map((_, at) => first + at))
  })

  it('is told of what the log does not hold any more', async () => {
    const curl = new Curl('room:2')
    await eventually('it listens', () => curl.text.includes('event: subscribed'))
    publish('room:2', 1)
    await eventually('it has read', () => curl.numbers.length === 1)
    await curl.kill()
    for (let n = 2; n <= 700; n += 1) publish('room:2', n)
    await publisher.ask({ type: 'ping' })
    const again = new Curl('room:2', curl.ids.at(-1))
    await eventually('it has read on', () => again.numbers.at(-1) === 700)
    await again.kill()
    expect(again.verdict).toMatchObject({ recovered: 'gap', gap: { from: 2, to: 200, reason: 'trimmed' } })
    expect(again.numbers).toEqual(Array.from({ length: 500 }, (_, at) => 201 + at))
  })

  it('ends by itself, in order, when the server is stopped', async () => {
    const curl = new Curl('room:3')
    await eventually('it listens', () => curl.text.includes('event: subscribed'))
    const ended = once(curl.process, 'exit') as Promise<[number]>
    expect(await server.terminate()).toBe(0)
    expect(await ended).toEqual([0, null])
    expect(curl.text).toMatch(/event: goodbye\ndata: \{"type":"goodbye","code":10\d\d,.*\}\n\nretry: \d+\n\n$/)
  })
})
