import type { Engine } from '../engine/engine.js'

/** An engine whose every method but `start`, `close`, `problem` and `watch` asks `before` first, with its name, and rejects when that does: `before` may also take its time. */
export function faultyEngine(engine: Engine, before: (method: string) => Promise<void>): Engine {
  const asking =
    <A extends unknown[], R>(method: string, run: (...parts: A) => Promise<R>): ((...parts: A) => Promise<R>) =>
    async (...parts) => {
      await before(method)
      return run(...parts)
    }
  const { records, leases, counters, members, rates, registers, indexes, nodes, control } = engine
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
    counters: { add: asking('counters.add', (name, by, options) => counters.add(name, by, options)) },
    members: {
      enter: asking('members.enter', (stream, entry) => members.enter(stream, entry)),
      leave: asking('members.leave', (stream, entry) => members.leave(stream, entry)),
      list: asking('members.list', (stream, limit) => members.list(stream, limit)),
      find: asking('members.find', (stream, user) => members.find(stream, user)),
    },
    rates: { take: asking('rates.take', (name, cost, rate) => rates.take(name, cost, rate)) },
    registers: {
      put: asking('registers.put', (name, request) => registers.put(name, request)),
      remove: asking('registers.remove', (name, key) => registers.remove(name, key)),
      totals: asking('registers.totals', (name) => registers.totals(name)),
      list: asking('registers.list', (name, limit) => registers.list(name, limit)),
    },
    indexes: {
      put: asking('indexes.put', (name, entry) => indexes.put(name, entry)),
      remove: asking('indexes.remove', (name, key) => indexes.remove(name, key)),
      range: asking('indexes.range', (name, range) => indexes.range(name, range)),
    },
    ...(engine.reports && { reports: engine.reports }),
    nodes: {
      renew: asking('nodes.renew', (node, about, ttlMs) => nodes.renew(node, about, ttlMs)),
      leave: asking('nodes.leave', (node) => nodes.leave(node)),
      list: asking('nodes.list', () => nodes.list()),
      reap: asking('nodes.reap', () => nodes.reap()),
    },
    control: {
      send: asking('control.send', (to, text) => control.send(to, text)),
      receive: asking('control.receive', (node, receive) => control.receive(node, receive)),
    },
    start: () => engine.start(),
    close: () => engine.close(),
    problem: () => engine.problem(),
    watch: (listener) => engine.watch(listener),
    publish: asking('publish', (request) => engine.publish(request)),
    announce: asking('announce', (stream, signal) => engine.announce(stream, signal)),
    listen: asking('listen', async (stream, receiver) => {
      const undo = await engine.listen(stream, receiver)
      return asking('unlisten', undo)
    }),
    read: asking('read', (stream, retention, range) => engine.read(stream, retention, range)),
    tops: asking('tops', (logs) => engine.tops(logs)),
    state: asking('state', (stream) => engine.state(stream)),
    rotate: asking('rotate', (stream, epoch) => engine.rotate(stream, epoch)),
  }
}
