import type * as z from 'zod'
import { isTenantName } from '../access/identity.js'
import { HoldfastError } from '../core/errors.js'
import { type LeftReport, REPORT_FIELD_BYTES_MAX } from '../engine/engine.js'
import { ApiRefusal } from '../http/api-error.js'
import { checked } from '../http/checked.js'
import { type JsonLimits, readJsonText } from '../http/json-text.js'
import {
  bareWord,
  completion,
  failure,
  newAttempt,
  newOperation,
  operationId,
  report,
} from '../http/operations/bodies.js'
import type { OperationDesk, OperationSpec } from './desk.js'

/** What the JSON of a report may be. */
export interface WordLimits extends JsonLimits {
  /** Bytes of `data`. */
  readonly dataBytesMax: number
}

/** A report that was understood: what it is about, and what to do. */
export interface LeftWord {
  /** The operation, whosever it is, in one name. */
  readonly about: string
  /** An update may be gathered, and stored later; a step is stored when it is done, with all updates before it; a sign leaves everything as it was. */
  readonly kind: 'update' | 'step' | 'sign'
  /** What it makes this operation a part of, named as in `about`. */
  readonly whole: string | undefined
  /** Throws as the desk does. `stored`: waits until it is stored, also where it could be gathered. */
  act(desk: OperationDesk, stored: boolean): Promise<unknown>
  /** Waits until everything of the operation is stored. */
  settle(desk: OperationDesk): Promise<unknown>
}

const FIELDS: readonly string[] = ['tenant', 'operation', 'do', 'data']

/**
 * Reads the fields of a report: `tenant`, `operation`, `do` and perhaps `data`, which is the body of the HTTP route that does the same.
 *
 * @throws HoldfastError or ApiRefusal (`bad_request`, `limit_exceeded`) that names what is wrong.
 */
export function readWord({ entry, fields }: LeftReport, limits: WordLimits): LeftWord {
  const stranger = Object.keys(fields).find((name) => !FIELDS.includes(name))
  if (stranger !== undefined) throw refuse(`${stranger.slice(0, 128)} is not a field of a report`)
  const { tenant = '', operation, do: verb = '', data = '{}' } = fields
  if (!isTenantName(tenant)) throw refuse('tenant must be the name of a tenant')
  const id = valid(operationId, operation, 'operation')
  const read = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined
  if (read === undefined) throw refuse(`do must be one of ${Object.keys(VERBS).join(', ')}`)
  const value = readData(data, limits)
  return {
    about: nameOf(tenant, id),
    settle: (desk) => desk.report(tenant, id, {}, { stored: true }),
    ...read({ tenant, id, entry, value }),
  }
}

interface Asked {
  readonly tenant: string
  readonly id: string
  readonly entry: string
  readonly value: unknown
}

type Deed = Pick<LeftWord, 'kind' | 'whole' | 'act'>

/** What can be left, by the word in `do`. */
const VERBS: Readonly<Record<string, (asked: Asked) => Deed>> = {
  create({ tenant, id, entry, value }) {
    const { owner, ...spec } = valid(newOperation, value, 'data')
    if (owner === undefined) throw refuse('data.owner is missing')
    if (spec.id !== undefined && spec.id !== id) throw refuse('data.id must be the operation, or left out')
    const whole: OperationSpec = { ...spec, id, owner }
    const above = spec.parent === undefined ? undefined : nameOf(tenant, spec.parent)
    return deed((desk) => desk.create(tenant, whole, { entry }), { whole: above })
  },
  report({ tenant, id, entry, value }) {
    const body = { ...valid(report, value, 'data'), entry }
    const act = (desk: OperationDesk, stored: boolean): Promise<unknown> => desk.report(tenant, id, body, { stored })
    return deed(act, { kind: 'update' })
  },
  heartbeat({ tenant, id, entry, value }) {
    const word = { ...valid(bareWord, value, 'data'), entry }
    return deed((desk) => desk.heartbeat(tenant, id, word), { kind: 'sign' })
  },
  attempt({ tenant, id, entry, value }) {
    const options = { ...valid(newAttempt, value, 'data'), entry }
    return deed((desk) => desk.attempt(tenant, id, options))
  },
  complete({ tenant, id, entry, value }) {
    const { result, ...rest } = valid(completion, value, 'data')
    const ending = { ...rest, ...(result !== undefined && { result }), entry, state: 'completed' as const }
    return deed((desk) => desk.end(tenant, id, ending))
  },
  fail({ tenant, id, entry, value }) {
    const ending = { ...valid(failure, value, 'data'), entry, state: 'failed' as const }
    return deed((desk) => desk.end(tenant, id, ending))
  },
  cancelled({ tenant, id, entry, value }) {
    const ending = { ...valid(bareWord, value, 'data'), entry, state: 'cancelled' as const }
    return deed((desk) => desk.end(tenant, id, ending))
  },
}

function nameOf(tenant: string, id: string): string {
  return `${tenant.length}:${tenant}${id}`
}

function deed(act: Deed['act'], marks: Partial<Deed> = {}): Deed {
  return { kind: 'step', whole: undefined, ...marks, act }
}

function readData(text: string, { dataBytesMax, ...limits }: WordLimits): unknown {
  const bytesMax = Math.min(dataBytesMax, REPORT_FIELD_BYTES_MAX - 1)
  if (Buffer.byteLength(text) > bytesMax)
    throw new HoldfastError('limit_exceeded', `data must be at most ${bytesMax} bytes`)
  return inData(() => readJsonText(text, limits).value)
}

function valid<T>(schema: z.ZodType<T>, value: unknown, place: 'data' | 'operation'): T {
  if (place === 'data') return inData(() => checked(schema, value, 'body'))
  const result = schema.safeParse(value)
  if (!result.success) throw refuse(`operation ${result.error.issues[0]?.message ?? 'is not valid'}`)
  return result.data
}

/** What HTTP calls the body is the field `data` here. */
function inData<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof ApiRefusal)) throw error
    const message =
      error.options.field === undefined
        ? error.message.replace('the body', 'data')
        : `data: ${error.message.replace(' of the body', '')}`
    throw refuse(message)
  }
}

function refuse(message: string): HoldfastError {
  return new HoldfastError('bad_request', message)
}
