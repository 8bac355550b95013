import type { Decoded } from '@holdfast/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { settle } from '../../simulated-clock.js'
import { type CommandConsumer, CommandQueue } from './command-queue.js'

const command = (type: 'ping' | 'subscribe', id: number): Decoded => ({
  command: type === 'ping' ? { type, id } : { type, id, channel: 'room:1' },
  data: undefined,
})
const ping = (id: number): Decoded => command('ping', id)
const subscribe = (id: number): Decoded => command('subscribe', id)
const refusal = (id: number): Decoded => ({ error: 'bad_request', message: '-', id, malformed: true })
const idOf = (decoded: Decoded): number => Number('command' in decoded ? decoded.command.id : decoded.id)

/** A connection that answers when it is told to. */
class Consumer implements CommandConsumer {
  readonly begun: number[] = []
  paused = false
  /** Resolves the room that commands wait for. */
  giveRoom: (() => void) | undefined
  #full = false
  readonly #answers = new Map<number, () => void>()

  handle(decoded: Decoded): Promise<void> | undefined {
    const id = idOf(decoded)
    this.begun.push(id)
    if (!('command' in decoded)) return undefined
    return new Promise((resolve) => this.#answers.set(id, resolve))
  }

  room(): Promise<void> | undefined {
    if (!this.#full) return undefined
    return new Promise((resolve) => {
      this.giveRoom = () => {
        this.#full = false
        resolve()
      }
    })
  }

  pauseReading(): void {
    this.paused = true
  }

  resumeReading(): void {
    this.paused = false
  }

  async answer(...ids: number[]): Promise<void> {
    for (const id of ids) this.#answers.get(id)?.()
    await settle()
  }

  fill(): void {
    this.#full = true
  }
}

function setUp(inFlightMax = 4): { consumer: Consumer; queue: CommandQueue } {
  const consumer = new Consumer()
  return { consumer, queue: new CommandQueue(consumer, inFlightMax) }
}

describe('a command queue', () => {
  it('begins commands in order, across frames', () => {
    const { consumer, queue } = setUp(8)
    queue.push([ping(1), ping(2)])
    queue.push([ping(3), refusal(4)])
    expect(consumer.begun).toEqual([1, 2, 3, 4])
  })

  it('has at most so many in flight, and begins the next when one is answered', async () => {
    const { consumer, queue } = setUp(2)
    queue.push([ping(1), ping(2), ping(3), ping(4)])
    expect(consumer.begun).toEqual([1, 2])
    await consumer.answer(2)
    expect(consumer.begun).toEqual([1, 2, 3])
    await consumer.answer(1, 3)
    expect(consumer.begun).toEqual([1, 2, 3, 4])
  })

  it('does not read the socket while commands wait', async () => {
    const { consumer, queue } = setUp(1)
    queue.push([ping(1)])
    expect(consumer.paused).toBe(false)
    queue.push([ping(2)])
    expect(consumer.paused).toBe(true)
    await consumer.answer(1)
    expect(consumer.paused).toBe(false)
  })

  it('begins what follows a subscribe when that was answered', async () => {
    const { consumer, queue } = setUp()
    queue.push([subscribe(1), ping(2)])
    expect(consumer.begun).toEqual([1])
    await consumer.answer(1)
    expect(consumer.begun).toEqual([1, 2])
  })

  it('begins subscribes beside each other together', async () => {
    const { consumer, queue } = setUp()
    queue.push([ping(1), subscribe(2), subscribe(3), ping(4)])
    expect(consumer.begun).toEqual([1, 2, 3])
    await consumer.answer(2)
    expect(consumer.begun).toEqual([1, 2, 3])
    await consumer.answer(3)
    expect(consumer.begun).toEqual([1, 2, 3, 4])
  })

  it('begins nothing while there is no room for answers', async () => {
    const { consumer, queue } = setUp()
    consumer.fill()
    queue.push([ping(1), ping(2)])
    expect(consumer.begun).toEqual([])
    expect(consumer.paused).toBe(true)
    consumer.giveRoom?.()
    await settle()
    expect(consumer.begun).toEqual([1, 2])
    expect(consumer.paused).toBe(false)
  })

  it('begins nothing while it is held, whatever arrives', () => {
    const { consumer, queue } = setUp()
    queue.hold()
    queue.push([ping(1)])
    queue.push([ping(2)])
    expect(consumer.begun).toEqual([])
    queue.release()
    expect(consumer.begun).toEqual([1, 2])
  })

  it('forgets what waits, and reads on at once, so that the end of the client is heard', async () => {
    const { consumer, queue } = setUp(1)
    queue.push([ping(1), ping(2)])
    expect(consumer.paused).toBe(true)
    queue.clear()
    expect(consumer.paused).toBe(false)
    await consumer.answer(1)
    expect(consumer.begun).toEqual([1])
    expect(consumer.paused).toBe(false)
  })

  it('begins everything once and in order, whatever the answers do', async () => {
    const kinds = fc.array(fc.constantFrom(ping, subscribe, refusal), { maxLength: 30 })
    await fc.assert(
      fc.asyncProperty(kinds, fc.integer({ min: 1, max: 5 }), fc.infiniteStream(fc.nat()), async (make, max, pick) => {
        const { consumer, queue } = setUp(max)
        queue.push(make.map((one, at) => one(at)))
        for (let answered = new Set<number>(); answered.size < make.length;) {
          const open = consumer.begun.filter((id) => !answered.has(id))
          expect(open.length).toBeGreaterThan(0)
          const chosen = open[(pick.next().value as number) % open.length] ?? 0
          await consumer.answer(chosen)
          answered = answered.add(chosen)
        }
        expect(consumer.begun).toEqual(make.map((_, at) => at))
        expect(consumer.paused).toBe(false)
      }),
    )
  })
})
