import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ask, isReading } from './request.js'

const written = new TextEncoder()

/** What the server says, part by part; it ends with the request. */
function answering(): WritableStreamDefaultWriter<Uint8Array> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
  const fetched = (_path: string, { signal }: { readonly signal: AbortSignal }): Promise<Response> => {
    const body = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>()
    readable.pipeTo(body.writable, { signal }).catch(() => undefined)
    return Promise.resolve(new Response(body.readable))
  }
  vi.stubGlobal('fetch', fetched)
  return writable.getWriter()
}

describe('an answer', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
  afterEach(() => {
    vi.useRealTimers()
    vi.unstubAllGlobals()
  })

  it('may take as long as a slow line needs, while something of it comes', async () => {
    const server = answering()
    const asked = ask('/schedule/long', { isOpen: true, signal: new AbortController().signal })
    for (const part of ['{"name"', ':', '"A week"', '}']) {
      await vi.advanceTimersByTimeAsync(29_000)
      await server.write(written.encode(part))
      expect(isReading()).toBe(true)
    }
    await server.close()
    expect(await asked).toEqual({ name: 'A week' })
    expect(isReading()).toBe(false)
  })

  it('is given up when nothing more of it comes', async () => {
    const server = answering()
    const asked = ask('/schedule/long', { isOpen: true })
    const given = expect(asked).rejects.toMatchObject({ status: 0, message: expect.stringContaining('not answer') })
    await server.write(written.encode('{"name"'))
    await vi.advanceTimersByTimeAsync(30_000)
    await given
  })
})
