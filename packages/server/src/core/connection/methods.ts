import { encodeData } from '@holdfast/protocol'
import type { Identity } from '../../access/identity.js'
import type { Clock } from '../../clock.js'
import { HoldfastError } from '../errors.js'

/** The part of the Standard Schema interface (standardschema.dev) that is used: zod, valibot, arktype and others have it. */
export interface StandardSchema<T> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    validate(value: unknown): StandardResult<T> | Promise<StandardResult<T>>
  }
}

/** What a standard schema answers. */
export type StandardResult<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string; readonly path?: readonly unknown[] | undefined }[] }

/** What a method is told of its caller. */
export interface MethodContext {
  readonly identity: Identity
  readonly tenant: string
  /** Aborted when the caller's time is over. */
  readonly signal: AbortSignal
}

/** A method that clients can call. */
export interface Method<T> {
  /** What `data` must be; what it makes of it is handed to the handler. Without it `data` is handed over as it came. */
  readonly schema?: StandardSchema<T>
  /** Its result, or that of its promise, is the answer. A `HoldfastError` is passed on, anything else is `method_failed`. */
  readonly handler: (data: T, context: MethodContext) => unknown
}

/** How long a method may take when the caller does not say, and at most. */
const TIMEOUT_MS = 30_000

/** Request and response: the methods that the application registered. */
export class Methods {
  readonly #clock: Clock
  readonly #methods = new Map<string, Method<unknown>>()
  readonly #onFailure: (method: string, error: unknown) => void

  constructor(clock: Clock, onFailure: (method: string, error: unknown) => void) {
    this.#clock = clock
    this.#onFailure = onFailure
  }

  /**
   * Registers a method; answers its undo.
   *
   * @throws RangeError when the name is taken.
   */
  register<T>(name: string, method: Method<T>): () => void {
    if (this.#methods.has(name)) throw new RangeError(`method "${name}" is registered already`)
    const registered = method as unknown as Method<unknown>
    this.#methods.set(name, registered)
    return () => {
      if (this.#methods.get(name) === registered) this.#methods.delete(name)
    }
  }

  /** Calls a method; answers its result as JSON text. Rejects with a HoldfastError. */
  async call(name: string, data: unknown, identity: Identity, timeoutMs: number = TIMEOUT_MS): Promise<string> {
    const method = this.#methods.get(name)
    if (method === undefined)
      throw new HoldfastError('unknown_method', `method ${JSON.stringify(name)} is not registered`)
    const abort = new AbortController()
    const timeout = this.#deadline(timeoutMs, abort)
    try {
      const work = carryOut(method, data, { identity, tenant: identity.tenant, signal: abort.signal })
      return encodeData(await Promise.race([work, timeout.expired]))
    } catch (error) {
      if (error instanceof HoldfastError) throw error
      this.#onFailure(name, error)
      throw new HoldfastError('method_failed')
    } finally {
      timeout.cancel()
    }
  }

  #deadline(ms: number, abort: AbortController): { expired: Promise<never>; cancel: () => void } {
    let cancel = (): void => undefined
    const expired = new Promise<never>((_, reject) => {
      cancel = this.#clock.after(ms, () => {
        const error = new HoldfastError('timeout', `the method gave no answer within ${ms} ms`)
        reject(error)
        abort.abort(error)
      })
    })
    return { expired, cancel: () => cancel() }
  }
}

/** One promise for all that the application does, so that the deadline holds for all of it. */
async function carryOut(method: Method<unknown>, data: unknown, context: MethodContext): Promise<unknown> {
  const input = await validate(method.schema, data)
  return method.handler(input, context)
}

async function validate(schema: StandardSchema<unknown> | undefined, data: unknown): Promise<unknown> {
  if (schema === undefined) return data
  const result = await schema['~standard'].validate(data)
  if (result.issues === undefined) return result.value
  const [issue] = result.issues
  throw new HoldfastError(
    'bad_request',
    `${['data', ...issuePath(issue?.path)].join('.')}: ${issue?.message ?? 'is not valid'}`,
  )
}

/** A path item is a key, or an object that holds one. */
function issuePath(path: readonly unknown[] | undefined): string[] {
  return (path ?? []).map((item) =>
    String(typeof item === 'object' && item !== null && 'key' in item ? item.key : item),
  )
}
