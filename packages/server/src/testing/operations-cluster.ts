import type { OperationSnapshot } from '@holdfast/protocol'
import type { PublishRequest } from '../engine/engine.js'
import { MemoryEngine } from '../engine/memory/memory-engine.js'
import type { OperationSpec } from '../operations/desk.js'
import type { Operations, OperationsOptions } from '../operations/operations.js'
import { SimulatedClock } from '../simulated-clock.js'
import { forgetfulEngine } from './forgetful-engine.js'
import { type LinkedOperations, openLinkedOperations, openOperations } from './operations-node.js'

/** What was told on a channel: the event, and the operation as it was then. */
export type Told = readonly [event: string, snapshot: OperationSnapshot]

/** The operations of several nodes on one engine, in simulated time; `desk` is that of the first. */
export class OperationsCluster {
  readonly clock: SimulatedClock = new SimulatedClock()
  readonly engine: MemoryEngine = new MemoryEngine({ clock: this.clock })
  readonly #nodes: Operations[] = []
  readonly desk: Operations = this.node().desk

  /** One more node, behind a link of its own: one whose link is cut for ever is dead. */
  node(options: Partial<OperationsOptions> = {}): LinkedOperations {
    const opened = openLinkedOperations(this.engine, this.clock, options)
    this.#nodes.push(opened.desk)
    return opened
  }

  /** One more node, which loses the answers of what `isLost` says. */
  forgetfulNode(isLost: (request: PublishRequest) => boolean): Operations {
    const { operations } = openOperations(forgetfulEngine(this.engine, isLost), this.clock)
    this.#nodes.push(operations)
    return operations
  }

  /** Begins an operation of ten units. */
  create(id: string, spec: Partial<OperationSpec> = {}): Promise<OperationSnapshot> {
    return this.desk.create('acme', { id, kind: 'import', owner: 'ada', total: 10, ...spec })
  }

  find(id: string): Promise<OperationSnapshot | undefined> {
    return this.desk.find('acme', id)
  }

  /** Everything that is told on a channel from now on, as it comes. */
  async watch(channel: string): Promise<Told[]> {
    const told: Told[] = []
    const ignore = (): void => undefined
    await this.engine.listen(
      { tenant: 'acme', channel },
      {
        message: (_, { event, data }) => void told.push([event, JSON.parse(data) as OperationSnapshot]),
        signal: ignore,
        members: ignore,
        rotated: ignore,
        uncertain: ignore,
      },
    )
    return told
  }

  async close(): Promise<void> {
    for (const one of this.#nodes) await one.close()
  }
}
