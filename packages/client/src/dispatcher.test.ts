import type { Position, ServerMessageOf } from '@holdfast/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Dispatcher } from './dispatcher.js'
import { Tally } from './statistics.js'
import { message, verdict } from './testing/scripted-server.js'
import { settle } from './testing/simulated-clock.js'

type Message = ServerMessageOf<'message'>
type Verdict = ServerMessageOf<'subscribed'>

/** A dispatcher, and what it hands on. */
class Listener {
  readonly heard: unknown[] = []
  readonly moves: Position[] = []
  readonly tally = new Tally()
  starved = 0
  /** What a handler returns. */
  wait: () => Promise<unknown> | undefined = () => undefined
  readonly dispatcher: Dispatcher = new Dispatcher('room:1', 10_000, this.tally, {
    message: ({ id }) => {
      this.heard.push(id)
      return this.wait()
    },
    gap: ({ from, to, reason }) => void this.heard.push([from, to, reason]),
    subscribed: () => undefined,
    moved: (position) => void this.moves.push(position),
    starved: () => (this.starved += 1),
  })

  constructor(to = 0) {
    this.begin(verdict(to))
  }

  begin(given: object): void {
    this.dispatcher.subscribed(given as Verdict)
  }

  /** `a` stands for a message without an offset, `[3, 'a']` for the same one with it. */
  take(...given: (string | [number, string])[]): void {
    for (const one of given) {
      const sent = typeof one === 'string' ? message(undefined, one) : message(one[0], one[1])
      this.dispatcher.message(sent as Message)
    }
  }

  gap(more: object): void {
    const given = { type: 'gap', channel: 'room:1', from: 4, to: null, reason: 'epoch_changed', ...more }
    this.dispatcher.gap(given as ServerMessageOf<'gap'>)
  }
}

describe('a message that a degraded node sends without an offset', () => {
  it('is handed on once when the store gives it an offset, and the position moves over it', () => {
    const listener = new Listener()
    listener.take('a', 'b', [1, 'a'], [2, 'b'])
    expect(listener.heard).toEqual(['a', 'b'])
    expect(listener.dispatcher.position).toEqual({ epoch: 'e1', offset: 2, id: 'b' })
    expect(listener.moves.at(-1)).toEqual({ epoch: 'e1', offset: 2, id: 'b' })
    expect(listener.tally).toMatchObject({ messages: 2, duplicatesDropped: 2 })
  })

  it('is handed on once when it comes with its offset first', () => {
    const listener = new Listener()
    listener.take([1, 'a'], 'a', [1, 'a'])
    expect(listener.heard).toEqual(['a'])
    expect(listener.dispatcher.position).toMatchObject({ offset: 1 })
  })

  it('is handed on once when it comes again among what a reconnect recovers', () => {
    const listener = new Listener()
    listener.take('a', [1, 'x'], 'b')
    const messages = [message(2, 'y'), message(3, 'a'), message(4, 'b'), message(5, 'z')]
    listener.begin(verdict(5, { recovered: 'full', messages }))
    expect(listener.heard).toEqual(['a', 'x', 'b', 'y', 'z'])
    expect(listener.dispatcher.position).toMatchObject({ offset: 5 })
  })

  it('is known again after thousands of others that were stored meanwhile', () => {
    const listener = new Listener()
    listener.take('a')
    for (let offset = 1; offset <= 5000; offset += 1) listener.take([offset, `m${offset}`])
    listener.take([5001, 'a'])
    expect(listener.heard.filter((id) => id === 'a')).toHaveLength(1)
  })

  it('is remembered among the newest 10,000 of its kind', () => {
    const listener = new Listener()
    for (let count = 0; count < 10_000; count += 1) listener.take(`m${count}`)
    listener.take([1, 'm0'])
    expect(listener.heard).toHaveLength(10_000)
    listener.take('new', [2, 'm0'])
    expect(listener.heard).toHaveLength(10_002)
  })

  it('moves the position only when the handlers of what came before have settled', async () => {
    const listener = new Listener()
    let finish = (): void => {}
    listener.take('a')
    listener.wait = () => new Promise<void>((resolve) => (finish = resolve))
    listener.take([1, 'x'], [2, 'a'])
    expect(listener.dispatcher.position).toMatchObject({ offset: 0 })
    finish()
    await settle()
    expect(listener.dispatcher.position).toMatchObject({ offset: 2 })
  })

  it('is handed on when it comes again, if it was let go of before anybody heard it', async () => {
    const listener = new Listener()
    let finish = (): void => {}
    listener.wait = () => new Promise<void>((resolve) => (finish = resolve))
    listener.take([1, 'x'], 'a', [2, 'b'])
    listener.dispatcher.rewind()
    listener.wait = () => undefined
    finish()
    await settle()
    expect(listener.heard).toEqual(['x'])
    listener.begin(verdict(3, { recovered: 'full', messages: [message(2, 'b'), message(3, 'a')] }))
    expect(listener.heard).toEqual(['x', 'b', 'a'])
  })

  it('is not forgotten when a handler leaves the channel while it is handed on', () => {
    const listener = new Listener()
    listener.wait = () => void listener.dispatcher.rewind()
    listener.take('a')
    listener.wait = () => undefined
    listener.begin(verdict(1, { recovered: 'full', messages: [message(1, 'a')] }))
    expect(listener.heard).toEqual(['a'])
  })
})

describe('a stream that begins anew', () => {
  it('hands on nothing that was heard already under another offset', () => {
    const listener = new Listener()
    listener.take([1, 'a'], [2, 'b'], [3, 'c'])
    const gap = { from: 4, to: null, reason: 'diverged' }
    const messages = [message(1, 'a'), message(2, 'b'), message(3, 'd')]
    listener.begin(verdict(3, { epoch: 'e2', recovered: 'gap', gap, messages }))
    expect(listener.heard).toEqual(['a', 'b', 'c', [4, null, 'diverged'], 'd'])
    expect(listener.dispatcher.position).toMatchObject({ epoch: 'e2', offset: 3 })
  })
})

describe('a gap while connected', () => {
  it.each(['epoch_changed', 'diverged', 'ahead'])('moves to the position in it (%s), and goes on there', (reason) => {
    const listener = new Listener()
    listener.take([1, 'a'], [2, 'b'], [3, 'c'])
    listener.gap({ reason, position: { epoch: 'e2', offset: 0, id: '' } })
    expect(listener.moves.at(-1)).toEqual({ epoch: 'e2', offset: 0, id: '' })
    listener.take([1, 'd'])
    expect(listener.heard).toEqual(['a', 'b', 'c', [4, null, reason], 'd'])
    expect(listener.dispatcher.position).toEqual({ epoch: 'e2', offset: 1, id: 'd' })
    expect(listener.moves.at(-1)).toEqual({ epoch: 'e2', offset: 1, id: 'd' })
    expect(listener.tally.gaps).toBe(1)
  })

  it.each([{ position: { epoch: 'e1', offset: 9, id: 'm9' } }, {}])(
    'goes on after what was trimmed, with a position in it and without: %j',
    (more) => {
      const listener = new Listener(3)
      listener.gap({ to: 9, reason: 'trimmed', ...more })
      expect(listener.moves.at(-1)).toMatchObject({ epoch: 'e1', offset: 9 })
      listener.take([9, 'old'], [10, 'new'])
      expect(listener.heard).toEqual([[4, 9, 'trimmed'], 'new'])
    },
  )

  it('saves its position when the handlers of what came before have settled', async () => {
    const listener = new Listener()
    let finish = (): void => {}
    listener.wait = () => new Promise<void>((resolve) => (finish = resolve))
    listener.take([1, 'a'])
    listener.gap({ position: { epoch: 'e2', offset: 0, id: '' } })
    expect(listener.moves.at(-1)).toMatchObject({ epoch: 'e1', offset: 0 })
    finish()
    await settle()
    expect(listener.moves.map(({ epoch, offset }) => `${epoch} ${offset}`)).toEqual(['e1 0', 'e1 1', 'e2 0'])
  })

  it('is asked about when it does not say where the stream goes on', () => {
    const listener = new Listener(3)
    listener.gap({})
    expect(listener.starved).toBe(1)
    expect(listener.heard).toEqual([])
    const gap = { from: 4, to: null, reason: 'epoch_changed' }
    listener.begin(verdict(1, { epoch: 'e2', recovered: 'gap', gap, messages: [message(1, 'd')] }))
    expect(listener.heard).toEqual([[4, null, 'epoch_changed'], 'd'])
  })
})

describe('whatever a node does while its store comes and goes', () => {
  /** What may happen: a stored message, one that is local for now, one that is stored late, a reconnect, a listener that leaves and comes back. */
  const happening = fc.constantFrom('stored', 'local', 'late', 'cut', 'leave', 'settle' as const)

  it('hands on everything that is stored exactly once, and ends at the top of the log', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { maxLength: 60 }), fc.boolean(), async (happenings, isSlow) => {
        const listener = new Listener()
        if (isSlow) listener.wait = async () => undefined
        const log: string[] = []
        const spool: string[] = []
        let names = 0
        const store = (id: string): void => void (log.push(id), listener.take([log.length, id]))
        const recover = (): void => {
          const from = listener.dispatcher.head!.offset
          const missed = log.slice(from).map((id, index) => message(from + index + 1, id))
          listener.begin({ ...verdict(log.length, { recovered: 'full', messages: missed }) })
        }
        for (const what of [...happenings, 'late', 'cut', 'settle']) {
          if (what === 'stored') store(`m${(names += 1)}`)
          if (what === 'local') listener.take(spool[spool.push(`m${(names += 1)}`) - 1]!)
          if (what === 'late') for (const id of spool.splice(0)) store(id)
          if (what === 'leave') listener.dispatcher.rewind()
          if (what === 'leave' || what === 'cut') recover()
          if (what === 'settle') await settle()
        }
        for (let turns = 0; turns < 10; turns += 1) await settle()
        expect(listener.heard).toHaveLength(log.length)
        expect(new Set(listener.heard)).toEqual(new Set(log))
        expect(listener.dispatcher.position).toMatchObject({ offset: log.length })
      }),
      { numRuns: 500 },
    )
  })
})
