import { expect, it } from 'vitest'
import { Holdfast } from './holdfast.js'
import { settingsFrom } from './options.js'

it('fills in the defaults, also for what is undefined', () => {
  expect(settingsFrom('ws://h/ws', { name: undefined } as object)).toMatchObject({
    connect: true,
    name: 'holdfast-js',
    backoff: { minMs: 500, maxMs: 30_000 },
    offlineQueue: { countMax: 10_000, bytesMax: 4_194_304, ageMaxMs: 240_000 },
    maxAttempts: 0,
    requestTimeoutMs: 10_000,
  })
})

it('takes http addresses for WebSocket ones', () => {
  expect(settingsFrom('https://h:8/ws?channel=room:1#x', {}).url).toBe('wss://h:8/ws?channel=room:1')
})

it.each([
  ['', {}, /^url must be an address such as wss:\/\/host\/ws, received ""$/],
  ['ftp://h', {}, /^url must be/],
  ['ws://h', { stableMs: -1 }, /^options.stableMs must be an integer from 0, received -1$/],
  ['ws://h', { backoff: { minMs: 0.5 } }, /^options.backoff.minMs must be an integer from 0, received 0.5$/],
])('refuses %j with %j, and says what it expects', (url, options, problem) => {
  const make = (): Holdfast => new Holdfast(url, { connect: false, ...options })
  expect(make).toThrow(problem)
  expect(make).toThrow(expect.objectContaining({ code: 'invalid_option' }))
})
