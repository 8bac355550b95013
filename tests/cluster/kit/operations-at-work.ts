import { eventually, pause } from '../../kit/deadline.js'
import type { History } from './history.js'
import type { NodeProcess } from './node-process.js'
import { QuestionError } from './questions.js'

interface Job {
  readonly node: NodeProcess
  readonly tenant: string
  readonly id: string
}

/** What the operations of a run are. */
export interface OperationsOptions {
  readonly tenant: string
  readonly count: number
  /** The user whose operations they are, and the others who may watch. */
  readonly owner: string
  readonly sharedWith: readonly string[]
  /** Where they run, in turn. */
  readonly nodes: readonly NodeProcess[]
}

const STEP_MS = 500

/** A large total, so that no operation is finished before it is told to be. */
const TOTAL = 10_000

/** Operations that go on for as long as a run does, and end with it: most well, some badly. */
export class OperationsAtWork {
  readonly #history: History
  readonly #jobs: readonly Job[]
  #isOver = false
  readonly #working: Promise<void>

  private constructor(history: History, jobs: readonly Job[]) {
    this.#history = history
    this.#jobs = jobs
    this.#working = this.#work()
  }

  /** Begins them. */
  static async start(history: History, options: OperationsOptions): Promise<OperationsAtWork> {
    const { tenant, owner, sharedWith, nodes } = options
    const jobs: Job[] = []
    for (let index = 0; index < options.count; index += 1) {
      const node = nodes[index % nodes.length]
      if (node === undefined) throw new RangeError('there must be a node for the operations')
      const spec = { id: `job-${index}`, kind: 'job', owner, sharedWith: [...sharedWith], total: TOTAL }
      const id = await node.ask('startOperation', { tenant, spec })
      history.note({ t: 'operation-begun', tenant, id })
      jobs.push({ node, tenant, id })
    }
    return new OperationsAtWork(history, jobs)
  }

  /** Their names. */
  get ids(): string[] {
    return this.#jobs.map(({ id }) => id)
  }

  /** Ends them all, and writes down what each node reads of them. */
  async finish(readers: readonly NodeProcess[]): Promise<void> {
    this.#isOver = true
    await this.#working
    await Promise.all(this.#jobs.map((job, index) => this.#end(job, index)))
    for (const node of readers) await this.#read(node)
  }

  async #work(): Promise<void> {
    while (!this.#isOver) {
      const working = this.#jobs.filter(({ node }) => node.isRunning)
      // An operation whose node is leaving has ended there.
      await Promise.all(
        working.map(({ node, tenant, id }) =>
          node.ask('reportOperation', { tenant, id, advance: 1 }).catch(() => undefined),
        ),
      )
      await pause(STEP_MS)
    }
  }

  async #end({ node, tenant, id }: Job, index: number): Promise<void> {
    if (!node.isRunning) return
    const report = index % 4 === 3 ? { fail: 'told to' } : { complete: { rows: index } }
    await eventually(`the end of ${id}`, async () => {
      try {
        await node.ask('reportOperation', { tenant, id, ...report })
        return true
      } catch (error) {
        return error instanceof QuestionError && error.code === 'already_ended'
      }
    })
  }

  async #read(node: NodeProcess): Promise<void> {
    for (const { tenant, id } of this.#jobs) {
      const snapshot = await node.ask('getOperation', { tenant, id })
      const { attempt = 0, version = 0, state = 'lost' } = snapshot ?? {}
      this.#history.note({ t: 'operation-read', node: node.name, tenant, id, attempt, version, state })
    }
  }
}
