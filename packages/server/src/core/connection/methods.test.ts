import { beforeEach, describe, expect, it } from 'vitest'
import * as z from 'zod'
import type { Identity } from '../../access/identity.js'
import { SimulatedClock } from '../../simulated-clock.js'
import { HoldfastError } from '../errors.js'
import { Methods } from './methods.js'

const ADA: Identity = { tenant: 'acme', user: 'ada', roles: [], grants: {}, expiresAt: undefined, tokenId: undefined }

let clock: SimulatedClock
let methods: Methods
let failures: [string, unknown][]

beforeEach(() => {
  clock = new SimulatedClock()
  failures = []
  methods = new Methods(clock, (method, error) => failures.push([method, error]))
})

const call = (name: string, data?: unknown, timeoutMs?: number): Promise<string> =>
  methods.call(name, data, ADA, timeoutMs)

/** Registers `handler` as `m` and answers what a call rejects with. */
async function refusalOf(handler: () => unknown): Promise<HoldfastError> {
  methods.register('m', { handler })
  return call('m').then(
    () => expect.unreachable(),
    (error: HoldfastError) => error,
  )
}

describe('a method', () => {
  it('is called with the data and the caller, and its result is the answer', async () => {
    methods.register('echo', { handler: (data, { identity, tenant }) => ({ data, user: identity.user, tenant }) })
    expect(JSON.parse(await call('echo', { a: 1 }))).toEqual({ data: { a: 1 }, user: 'ada', tenant: 'acme' })
  })

  it.each<[string, unknown, string]>([
    ['a promise', Promise.resolve(1), '1'],
    ['nothing', undefined, 'null'],
    ['a date', new Date(0), '"1970-01-01T00:00:00.000Z"'],
    ['a map', new Map([['a', 1]]), '{"a":1}'],
  ])('may answer %s', async (_, result, json) => {
    methods.register('m', { handler: () => result })
    expect(await call('m')).toBe(json)
  })

  it('is unknown until it is registered, and after its undo', async () => {
    await expect(call('m')).rejects.toMatchObject({ code: 'unknown_method', message: 'method "m" is not registered' })
    const undo = methods.register('m', { handler: () => 1 })
    expect(await call('m')).toBe('1')
    undo()
    await expect(call('m')).rejects.toMatchObject({ code: 'unknown_method' })
  })

  it.each(['constructor', '__proto__', 'toString'])('is not %s, which every object has', async (name) =>
    expect(call(name)).rejects.toMatchObject({ code: 'unknown_method' }),
  )

  it('is registered under a name of its own', () => {
    methods.register('m', { handler: () => 1 })
    expect(() => methods.register('m', { handler: () => 2 })).toThrow(
      new RangeError('method "m" is registered already'),
    )
  })

  it('is not undone by the undo of an earlier one', async () => {
    const undo = methods.register('m', { handler: () => 1 })
    undo()
    methods.register('m', { handler: () => 2 })
    undo()
    expect(await call('m')).toBe('2')
  })
})

describe('the schema of a method', () => {
  it('shapes what the handler gets', async () => {
    methods.register('add', {
      schema: z.object({ a: z.coerce.number(), b: z.number().default(2) }),
      handler: ({ a, b }) => a + b,
    })
    expect(await call('add', { a: '40' })).toBe('42')
  })

  it('refuses other data with the path of the first problem, and the handler is not called', async () => {
    let calls = 0
    const schema = z.object({ user: z.object({ tags: z.array(z.string()) }) })
    methods.register('m', { schema, handler: () => (calls += 1) })
    const refusal = { code: 'bad_request', message: expect.stringMatching(/^data\.user\.tags\.1: /) as string }
    await expect(call('m', { user: { tags: ['a', 1] } })).rejects.toMatchObject(refusal)
    await expect(call('m', 7)).rejects.toMatchObject({ message: expect.stringMatching(/^data: /) as string })
    expect(calls).toBe(0)
  })

  it('may take its time', async () => {
    const schema = z.string().refine((name) => Promise.resolve(name !== 'taken'), 'is taken')
    methods.register('m', { schema, handler: (name) => name })
    expect(await call('m', 'free')).toBe('"free"')
    await expect(call('m', 'taken')).rejects.toMatchObject({ message: 'data: is taken' })
  })

  it('may name its path with objects, as the standard allows', async () => {
    const issues = [{ message: 'is wrong', path: [{ key: 'a' }, 0] }]
    const validate = (): { issues: typeof issues } => ({ issues })
    methods.register('m', { schema: { '~standard': { version: 1, vendor: 'v', validate } }, handler: () => 1 })
    await expect(call('m')).rejects.toMatchObject({ message: 'data.a.0: is wrong' })
  })
})

describe('a failure', () => {
  it('is told to the application, and to the caller only that there was one', async () => {
    const error = new Error('SELECT * FROM secrets')
    const refusal = await refusalOf(() => Promise.reject(error))
    expect(refusal).toMatchObject({ code: 'method_failed', message: 'The method failed', details: undefined })
    expect(failures).toEqual([['m', error]])
  })

  it('is one when the handler throws at once, or throws what is no error', async () => {
    const refusal = await refusalOf(() => {
      // eslint-disable-next-line typescript/only-throw-error
      throw 'text'
    })
    expect(refusal.code).toBe('method_failed')
    expect(failures).toEqual([['m', 'text']])
  })

  it('is one when the result cannot be encoded', async () => {
    const circular: { self?: unknown } = {}
    circular.self = circular
    expect((await refusalOf(() => circular)).code).toBe('method_failed')
    expect(failures[0]?.[1]).toMatchObject({ code: 'unserialisable' })
  })

  it('of the caller is passed on as the method says it', async () => {
    const refusal = await refusalOf(() => {
      throw new HoldfastError('not_found', 'there is no such order', { details: { order: 7 } })
    })
    expect(refusal).toMatchObject({ code: 'not_found', message: 'there is no such order', details: { order: 7 } })
    expect(failures).toEqual([])
  })
})

describe('a method that takes too long', () => {
  it('is aborted, and the caller is told', async () => {
    let signal: AbortSignal | undefined
    methods.register('m', {
      handler: (_, context) => {
        signal = context.signal
        return new Promise(() => undefined)
      },
    })
    const answer = expect(call('m', undefined, 500)).rejects.toMatchObject({
      code: 'timeout',
      retryable: true,
      message: 'the method gave no answer within 500 ms',
    })
    await clock.pass(499)
    expect(signal?.aborted).toBe(false)
    await clock.pass(1)
    expect(signal?.aborted).toBe(true)
    await answer
  })

  it('has 30 seconds unless the caller says otherwise', async () => {
    methods.register('m', { handler: () => new Promise(() => undefined) })
    const answer = expect(call('m')).rejects.toMatchObject({ code: 'timeout' })
    await clock.pass(30_000)
    await answer
  })

  it('may fail afterwards without anybody noticing', async () => {
    let failLate: (error: Error) => void = () => undefined
    methods.register('m', { handler: () => new Promise((_, reject) => (failLate = reject)) })
    const answer = expect(call('m', undefined, 1)).rejects.toMatchObject({ code: 'timeout' })
    await clock.pass(1)
    await answer
    failLate(new Error('late'))
    await clock.pass(1)
    expect(failures).toEqual([])
  })

  it('is not aborted when it answered in time', async () => {
    let signal: AbortSignal | undefined
    methods.register('m', { handler: (_, context) => void (signal = context.signal) })
    await call('m', undefined, 10)
    clock.advance(100)
    expect(signal?.aborted).toBe(false)
  })
})
