import type { Engine, Receiver } from '../engine/engine.js'
import { faultyEngine } from './faulty-engine.js'

/** An engine behind a link that can be cut: while it is, everything is refused and nothing is heard. */
export interface InterruptedEngine {
  readonly engine: Engine
  cut(): void
  heal(): void
}

/** Puts such a link before an engine. */
export function interruptedEngine(behind: Engine): InterruptedEngine {
  let problem: string | undefined
  const watchers = new Set<(problem: string | undefined) => void>()
  const receivers = new Set<Receiver>()
  const faulty = faultyEngine(behind, async () => {
    if (problem !== undefined) throw Object.assign(new Error(problem), { code: 'engine_unavailable' })
  })
  const change = (next: string | undefined): void => {
    problem = next
    if (next === undefined) for (const receiver of receivers) receiver.uncertain()
    for (const watcher of watchers) watcher(next)
  }
  const behindTheLink = (receiver: Receiver): Receiver => ({
    message: (epoch, message) => problem ?? receiver.message(epoch, message),
    signal: (signal) => problem ?? receiver.signal(signal),
    members: (members) => problem ?? receiver.members(members),
    rotated: (epoch) => problem ?? receiver.rotated(epoch),
    uncertain: () => receiver.uncertain(),
  })
  const engine: Engine = {
    ...faulty,
    name: behind.name,
    control: {
      send: (to, text) => faulty.control.send(to, text),
      receive: (node, receive) => faulty.control.receive(node, (text) => problem ?? receive(text)),
    },
    problem: () => problem,
    watch(listener) {
      watchers.add(listener)
      return () => void watchers.delete(listener)
    },
    async listen(stream, receiver) {
      const undo = await faulty.listen(stream, behindTheLink(receiver))
      receivers.add(receiver)
      return async () => {
        receivers.delete(receiver)
        await undo()
      }
    },
  }
  return { engine, cut: () => change('the link is cut'), heal: () => change(undefined) }
}
