import type { Engine } from '../engine/engine.js'

/** An engine whose every method but `start`, `close` and `problem` asks `before` first, with its name, and rejects when that does: `before` may also take its time. */
export function faultyEngine(engine: Engine, before: (method: string) => Promise<void>): Engine {
  const asking =
    <A extends unknown[], R>(method: string, run: (...parts: A) => Promise<R>): ((...parts: A) => Promise<R>) =>
    async (...parts) => {
      await before(method)
      return run(...parts)
    }
  const { records, leases, counters, members } = engine
  return {
    name: 'faulty',
    canDiverge: engine.canDiverge,
    records: {
      get: asking('records.get', (key) => records.get(key)),
      put: asking('records.put', (key, value, options) => records.put(key, value, options)),
      take: asking('records.take', (key) => records.take(key)),
    },
    leases: {
      hold: asking('leases.hold', (name, holder, ttlMs) => leases.hold(name, holder, ttlMs)),
      release: asking('leases.release', (name, holder) => leases.release(name, holder)),
    },
    counters: { add: asking('counters.add', (name, by, max) => counters.add(name, by, max)) },
    members: {
      enter: asking('members.enter', (stream, entry) => members.enter(stream, entry)),
      leave: asking('members.leave', (stream, entry) => members.leave(stream, entry)),
      list: asking('members.list', (stream, limit) => members.list(stream, limit)),
    },
    start: () => engine.start(),
    close: () => engine.close(),
    problem: () => engine.problem(),
    publish: asking('publish', (request) => engine.publish(request)),
    announce: asking('announce', (stream, announcement) => engine.announce(stream, announcement)),
    listen: asking('listen', async (stream, receiver) => {
      const undo = await engine.listen(stream, receiver)
      return asking('unlisten', undo)
    }),
    read: asking('read', (stream, retention, range) => engine.read(stream, retention, range)),
    state: asking('state', (stream) => engine.state(stream)),
    rotate: asking('rotate', (stream, epoch) => engine.rotate(stream, epoch)),
  }
}
