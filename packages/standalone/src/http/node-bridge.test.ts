import { once } from 'node:events'
import { type Server, createServer } from 'node:http'
import { type AddressInfo, type Socket, connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { toNodeListener } from './node-bridge.js'

describe('the bridge from Node to a fetch-style handler', () => {
  const errors: unknown[] = []
  let server: Server

  beforeEach(async () => {
    errors.length = 0
    const handle = async (request: Request): Promise<Response> => new Response(await request.text())
    server = createServer(toNodeListener(handle, (error) => errors.push(error)))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  })

  afterEach(() => void server.close())

  async function send(text: string): Promise<Socket> {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    await once(socket, 'connect')
    socket.write(text)
    return socket
  }

  async function answerTo(text: string): Promise<string> {
    const [answer] = (await once(await send(text), 'data')) as [Buffer]
    return answer.toString('latin1')
  }

  it('answers with what the handler makes of the body', async () => {
    const request = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello'
    expect(await answerTo(request)).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*hello$/)
  })

  it('reports no error of its own when the client goes away in the middle of its body', async () => {
    const arrived = once(server, 'request')
    const socket = await send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe')
    const [incoming] = (await arrived) as [NodeJS.EventEmitter]
    // Not `once`, which takes the error that comes before for its own.
    const gone = new Promise((resolve) => incoming.on('close', resolve))
    socket.destroy()
    await gone
    expect(await answerTo('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')).toContain('200 OK')
    expect(errors).toEqual([])
  })

  it('passes on every cookie that an answer sets', async () => {
    const cookies = ['session=1; HttpOnly', 'theme=dark; Expires=Wed, 21 Oct 2026 07:28:00 GMT']
    const handle = async (): Promise<Response> => {
      const headers = new Headers(cookies.map((cookie) => ['set-cookie', cookie]))
      return new Response('', { headers })
    }
    const baker = createServer(toNodeListener(handle, (error) => errors.push(error)))
    await once(baker.listen(0, '127.0.0.1'), 'listening')
    const { headers } = await fetch(`http://127.0.0.1:${(baker.address() as AddressInfo).port}/`)
    expect(headers.getSetCookie()).toEqual(cookies)
    baker.close()
  })

  it.each<[string, string]>([
    ['an answer', 'text/plain'],
    ['a stream of events', 'text/event-stream'],
  ])('cuts %s that breaks, instead of leaving the client to wait', async (_, type) => {
    const failure = new Error('a mistake')
    const handle = async (): Promise<Response> => {
      const pull = (controller: ReadableStreamDefaultController): void => controller.error(failure)
      return new Response(new ReadableStream({ pull }), { headers: { 'content-type': type } })
    }
    const broken = createServer(toNodeListener(handle, (error) => errors.push(error)))
    await once(broken.listen(0, '127.0.0.1'), 'listening')
    const answer = fetch(`http://127.0.0.1:${(broken.address() as AddressInfo).port}/`).then((one) => one.text())
    await expect(answer).rejects.toThrow()
    expect(errors).toEqual([failure])
    broken.close()
  })

  it('lets a handler of its own read a body of any size as it comes', async () => {
    const handle = async (request: Request): Promise<Response> => Response.json((await request.text()).length)
    const streams = createServer(toNodeListener(handle, (error) => errors.push(error), { streams: () => true }))
    await once(streams.listen(0, '127.0.0.1'), 'listening')
    const { port } = streams.address() as AddressInfo
    const answer = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: 'x'.repeat(100_000) })
    expect(await answer.json()).toBe(100_000)
    expect(await (await fetch(`http://127.0.0.1:${port}/`, { method: 'POST' })).json()).toBe(0)
    streams.close()
  })

  it('sends a stream of events as they come, and ends it when the client goes away', async () => {
    let leave = (): void => undefined
    const left = new Promise<void>((resolve) => (leave = resolve))
    let signal: AbortSignal | undefined
    const handle = async (request: Request): Promise<Response> => {
      signal = request.signal
      const start = (controller: ReadableStreamDefaultController<Uint8Array>): void =>
        controller.enqueue(new TextEncoder().encode('data: 1\n\n'))
      return new Response(new ReadableStream({ start, cancel: leave }), {
        headers: { 'content-type': 'text/event-stream' },
      })
    }
    const streams = createServer(toNodeListener(handle, (error) => errors.push(error)))
    await once(streams.listen(0, '127.0.0.1'), 'listening')
    const { port } = streams.address() as AddressInfo
    const client = new AbortController()
    const answer = await fetch(`http://127.0.0.1:${port}/`, { signal: client.signal })
    const part = await answer.body?.getReader().read()
    expect(new TextDecoder().decode(part?.value as Uint8Array)).toBe('data: 1\n\n')
    client.abort()
    await left
    expect(signal?.aborted).toBe(true)
    expect(errors).toEqual([])
    streams.close()
  })

  it('answers 405 to a method that a fetch-style handler cannot be asked with', async () => {
    expect(await answerTo('TRACE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 405 [^]*\r\nx-content-type-options: nosniff\r\n/,
    )
    expect(errors).toEqual([])
  })
})
