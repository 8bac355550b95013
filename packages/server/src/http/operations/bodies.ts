import { OPERATION_STATES } from '@holdfast/protocol'
import * as z from 'zod'
import type {
  AttemptOptions,
  OperationEnding,
  OperationReport,
  OperationSpec,
  WorkerWord,
} from '../../operations/desk.js'
import { duration } from '../duration.js'

/** What an operation may be called. An id of dots alone could not be reached at its address: URLs resolve them. */
export const operationId: z.ZodString = z
  .string()
  .regex(/^(?!\.+$)[A-Za-z0-9_.@~+=-]{1,128}$/, 'must be 1 to 128 of A-Z a-z 0-9 _ . @ ~ + = -')

const amount = z.number().min(0)
const user = z.string().min(1).max(128)

const PHASES_MAX = 100
const SHARED_MAX = 1_000
const METADATA_MAX = 64

/** An operation that is to begin. */
export const newOperation: z.ZodType<Omit<OperationSpec, 'owner'> & Partial<Pick<OperationSpec, 'owner'>>> =
  z.strictObject({
    id: operationId.exactOptional(),
    kind: z.string().min(1).max(64),
    label: z.string().max(256).exactOptional(),
    owner: user.exactOptional().describe('Default: whoever asks'),
    total: amount.exactOptional().describe('Units there are, when known'),
    unit: z.string().exactOptional().describe('What is counted: `files`, `rows`; cut at 32 characters'),
    phases: z
      .array(z.strictObject({ name: z.string().min(1).max(128), weight: amount.exactOptional() }))
      .min(1)
      .max(PHASES_MAX)
      .exactOptional(),
    sharedWith: z
      .array(user)
      .max(SHARED_MAX)
      .exactOptional()
      .describe('Users besides the owner who may watch and cancel'),
    metadata: z
      .record(z.string(), z.unknown())
      .refine((members) => Object.keys(members).length <= METADATA_MAX, `must have at most ${METADATA_MAX} members`)
      .exactOptional(),
    parent: operationId.exactOptional().describe('The operation that this one is a part of'),
    weight: amount.exactOptional().describe('How much of its parent it is, relative to the other parts'),
    queued: z.boolean().exactOptional().describe('Waits for a worker, who begins it as an attempt'),
    lease: duration.exactOptional().describe('Without a word of the worker for so long it is stalled: `30s`'),
    expireAfter: duration.exactOptional().describe('After so long it is expired, however far it is: `2h`'),
  })

const word = {
  attempt: z.int().min(1).exactOptional().describe('The attempt that the worker has; older ones are refused'),
  sequence: z.int().min(0).exactOptional().describe('Rises with each word; what is not higher changes nothing'),
}

/** What a worker says of its progress. */
export const report: z.ZodType<Omit<OperationReport, 'entry' | 'key'>> = z.strictObject({
  ...word,
  done: amount.exactOptional(),
  advance: amount.exactOptional(),
  total: amount.exactOptional(),
  percent: z.number().min(0).max(100).exactOptional(),
  unit: z.string().exactOptional(),
  item: z.string().exactOptional(),
  message: z.string().exactOptional(),
  phase: z.string().min(1).max(128).exactOptional(),
  state: z.enum(['running', 'waiting']).exactOptional(),
})

/** A word that says nothing but that the worker is there, or has stopped. */
export const bareWord: z.ZodType<Omit<WorkerWord, 'entry'>> = z.strictObject(word)

type Ending<S extends OperationEnding['state']> = Omit<Extract<OperationEnding, { state: S }>, 'state' | 'entry'>

/** The end of work that is done. */
export const completion: z.ZodType<Ending<'completed'>> = z.strictObject({
  ...word,
  result: z.unknown().exactOptional(),
  regardless: z.boolean().exactOptional().describe('Also while operations below it have not ended'),
})

/** The end of work that could not be done. */
export const failure: z.ZodType<Ending<'failed'>> = z.strictObject({
  ...word,
  error: z.strictObject({
    message: z.string().min(1).max(4096),
    code: z.string().min(1).max(64).exactOptional(),
    retryable: z.boolean().exactOptional(),
  }),
})

/** A worker that takes an operation. */
export const newAttempt: z.ZodType<Omit<AttemptOptions, 'entry'>> = z.strictObject({
  force: z.boolean().exactOptional().describe('Also from a worker that has it'),
  worker: z
    .string()
    .min(1)
    .max(128)
    .exactOptional()
    .describe('A name that no other worker has: who has it already gets the same attempt again'),
})

/** Nothing at all. */
export const nothing: z.ZodType<object> = z.strictObject({})

const STATES: readonly string[] = OPERATION_STATES

/** States in a query: `running,waiting`. */
export const stateList: z.ZodString = z
  .string()
  .max(128)
  .refine(
    (text) => text.split(',').every((state) => STATES.includes(state)),
    `must be some of ${STATES.join(', ')}, with commas between`,
  )
