import { createHash, randomBytes } from 'node:crypto'
import { basename, relative } from 'node:path'
import { type Holdfast, HoldfastError } from '@holdfast/server'
import { z } from 'zod'
import type { Clock } from '../clock.js'
import { describeError } from '../failure.js'
import { indexDirectory } from './directory-index.js'
import { resolveInside } from './index-path.js'
import { COMMAND_LINE_USER } from './tenant.js'

/** Indexes that may run at once on a node. */
export const INDEXES_RUNNING_MAX = 8
const GENTLE_FILES_PER_SECOND = 600
const ITEM_CHARACTERS_MAX = 200

/** Reading is what takes time; the weights are what was measured on a tree of some thousand files. */
const PHASES = [
  { name: 'Listing', weight: 5 },
  { name: 'Reading', weight: 94 },
  { name: 'Summarising', weight: 1 },
]

const input = z
  .object({
    path: z.string().min(1).max(512).default('node_modules'),
    pace: z.enum(['gentle', 'full']).default('gentle'),
    key: z.string().min(1).max(64).optional(),
  })
  .prefault({})

type IndexInput = z.infer<typeof input>

/** What the method needs of its surroundings. */
export interface IndexMethodParts {
  readonly holdfast: Holdfast
  /** Directories outside of this one are refused. */
  readonly start: string
  readonly clock: Clock
}

/**
 * Registers `demo.index {path?, pace?, key?}`: starts an operation that indexes a directory below `start`, and answers
 * `{operation, path}` once it runs. The caller owns it; the command line may watch it. Whoever lost the answer calls
 * again with the same `key`, and gets the one that was started.
 */
export function registerIndexMethod({ holdfast, start, clock }: IndexMethodParts): void {
  let running = 0
  holdfast.method('demo.index', {
    schema: input,
    async handler({ path, pace, key }: IndexInput, { tenant, identity }) {
      const root = await resolveInside(start, path).catch((error: unknown) => {
        throw new HoldfastError('bad_request', describeError(error))
      })
      const shown = relative(start, root) || basename(root)
      const spec = describeIndex(indexId(identity.user, key), identity.user, shown, pace)
      const answer = { operation: spec.id, path: shown }
      if (await isStarted(holdfast, tenant, spec)) return answer
      if (running >= INDEXES_RUNNING_MAX) throw new HoldfastError('limit_exceeded', TOO_MANY)
      running += 1
      await runIndex({ holdfast, clock, tenant, root, spec, pace }, () => (running -= 1)).catch(
        async (error: unknown) => {
          // The call of the line that broke may have been the quicker one.
          if (!(await isStarted(holdfast, tenant, spec))) throw error
        },
      )
      return answer
    },
  })
}

const TOO_MANY = `${INDEXES_RUNNING_MAX} indexes run already; wait for one to end, or cancel it`

type Spec = ReturnType<typeof describeIndex>

/** The same one for the same key of the same user, whatever keys others choose. */
function indexId(user: string, key: string | undefined): string {
  const digest =
    key === undefined
      ? randomBytes(5)
      : createHash('sha256')
          .update(JSON.stringify([user, key]))
          .digest()
  return `index-${digest.toString('hex').slice(0, 10)}`
}

async function isStarted(holdfast: Holdfast, tenant: string, { id, owner }: Spec): Promise<boolean> {
  const found = await holdfast.tenant(tenant).operations.get(id)
  return found?.owner === owner
}

function describeIndex(id: string, owner: string, path: string, pace: string) {
  return {
    id,
    kind: 'index',
    label: `Index of ${path}`.slice(0, 256),
    owner,
    unit: 'files',
    phases: PHASES,
    sharedWith: [COMMAND_LINE_USER],
    metadata: { path, pace },
  }
}

interface IndexRun {
  readonly holdfast: Holdfast
  readonly clock: Clock
  readonly tenant: string
  readonly root: string
  readonly spec: Spec
  readonly pace: IndexInput['pace']
}

/** Resolves when the operation exists, so that whoever hears of it can watch it; it goes on by itself. */
function runIndex({ holdfast, clock, tenant, root, spec, pace }: IndexRun, onEnd: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const run = holdfast.tenant(tenant).operations.run(spec, (op) => {
      resolve()
      return indexDirectory(root, {
        clock,
        signal: op.signal,
        ...(pace === 'gentle' && { filesPerSecond: GENTLE_FILES_PER_SECOND }),
        observer: {
          phase: (name, total) => void op.phase(name, { unit: 'files', ...(total !== undefined && { total }) }),
          advance: (item) => void op.advance(1, { item: shorten(item) }),
        },
      })
    })
    // How it ended is told to its watchers; here only that it did.
    void run.catch(reject).finally(onEnd)
  })
}

/** The end of a path says more than its beginning. */
function shorten(path: string): string {
  return path.length > ITEM_CHARACTERS_MAX ? `…${path.slice(-ITEM_CHARACTERS_MAX)}` : path
}
