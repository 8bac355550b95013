import { once } from 'node:events'
import { mkdtemp } from 'node:fs/promises'
import { type IncomingMessage, createServer, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import type { AuditEvent, AuditFields } from '../telemetry/audit.js'
import { HostPolicy } from './host-policy.js'
import { Perimeter, type RequestHead, headOf, headOfRequest } from './perimeter.js'
import { TrustedProxies } from './trusted-proxies.js'

const lines: [AuditEvent, AuditFields][] = []
const perimeter = new Perimeter({
  proxies: new TrustedProxies(['10.0.0.1']),
  hosts: new HostPolicy(['app.example.com'], () => false),
  audit: { record: (event, fields) => void lines.push([event, fields]) },
})

const examine = (changes: Partial<RequestHead> = {}): ReturnType<typeof perimeter.examine> => {
  lines.length = 0
  const usual = { peer: '203.0.113.7', isEncrypted: false, forwardedFor: undefined, forwardedProto: undefined }
  return perimeter.examine({ ...usual, hosts: ['app.example.com'], origins: [], ...changes })
}

describe('a request', () => {
  it('is passed on with who asks', () => {
    expect(examine({ origins: ['https://app.example.com'] })).toEqual({
      address: '203.0.113.7',
      origin: 'https://app.example.com',
      isSecure: false,
    })
    expect(examine({ peer: '10.0.0.1', forwardedFor: '8.8.8.8', forwardedProto: 'https' })).toEqual({
      address: '8.8.8.8',
      origin: undefined,
      isSecure: true,
    })
    expect(lines).toEqual([])
  })

  it.each<[string, Partial<RequestHead>]>([
    ['two origins', { origins: ['https://app.example.com', 'https://evil.test'] }],
    ['two origins in one header', { origins: ['https://app.example.com, https://evil.test'] }],
    ['an origin and none', { origins: ['https://app.example.com', 'null'] }],
    ['an empty origin', { origins: [''] }],
    ['a tab in its origin', { origins: ['https://app.example.com\t'] }],
    ['a space in its origin', { origins: ['https://app. example.com'] }],
    ['a line in its origin', { origins: ['https://app.example.com\r\nx: y'] }],
    ['an origin in other letters', { origins: ['https://b\u00fccher.example'] }],
    ['an origin of nothing but spaces between two letters', { origins: [`a${' '.repeat(1_000_000)}b`] }],
    ['an origin of 8 KB', { origins: [`https://${'a'.repeat(8_192)}`] }],
  ])('with %s is answered 400', (_, head) => {
    expect(examine(head)).toEqual({ rejected: 400 })
    expect(lines).toEqual([['origin.refused', { address: '203.0.113.7', rule: 'malformed' }]])
  })

  it('with the same origin twice has one', () => {
    const origin = 'https://app.example.com'
    expect(examine({ origins: [origin, origin] })).toMatchObject({ origin })
    expect(examine({ origins: [`${origin}, ${origin}`] })).toMatchObject({ origin })
  })

  it('with an origin that is merely too long, or none, is left to the policy', () => {
    for (const origin of [`https://${'a'.repeat(500)}`, 'nonsense', 'https://a@b'])
      expect(examine({ origins: [origin] })).toMatchObject({ origin })
  })

  it.each<[string, readonly string[]]>([
    ['two hosts', ['app.example.com', 'evil.test']],
    ['a host that is none', ['app.example.com/x']],
  ])('with %s is answered 400', (_, hosts) => {
    expect(examine({ hosts })).toEqual({ rejected: 400 })
    expect(lines).toEqual([['host.refused', { address: '203.0.113.7', rule: 'malformed' }]])
  })

  it('to a name that is not ours is answered 421, and noted with the name', () => {
    expect(examine({ hosts: ['evil.test'] })).toEqual({ rejected: 421 })
    expect(lines).toEqual([['host.refused', { address: '203.0.113.7', rule: 'unlisted', action: 'evil.test' }]])
    expect(examine({ hosts: [] })).toEqual({ rejected: 421 })
    expect(examine({ hosts: [''] })).toEqual({ rejected: 421 })
    expect(examine({ hosts: undefined })).toMatchObject({ address: '203.0.113.7' })
  })

  it('is named by its Host, whatever a proxy says', () => {
    const rawHeaders = ['Host', 'evil.test', 'X-Forwarded-Host', 'app.example.com']
    expect(perimeter.examine(headOf({ rawHeaders, socket: { remoteAddress: '10.0.0.1' } }))).toEqual({ rejected: 421 })
  })
})

describe('the head of a request', () => {
  it('of Node has every header as it was sent', () => {
    const rawHeaders = [
      'HOST',
      'a',
      'host',
      'b',
      'Origin',
      ' c',
      'origin',
      'd',
      'X-Forwarded-For',
      '1',
      'x-forwarded-for',
      '2',
    ]
    const socket = { remoteAddress: '::ffff:127.0.0.1', encrypted: true }
    expect(headOf({ rawHeaders, socket })).toEqual({
      peer: '127.0.0.1',
      isEncrypted: true,
      hosts: ['a', 'b'],
      origins: ['c', 'd'],
      forwardedFor: '1,2',
      forwardedProto: undefined,
    })
    expect(headOf({ rawHeaders: [], socket: {} })).toMatchObject({ peer: '', hosts: [], origins: [] })
  })

  it('of Node says that its peer is on a Unix socket', async () => {
    const path = join(await mkdtemp(join(tmpdir(), 'holdfast-')), 'socket')
    const server = createServer((request, response) => response.end(headOf(request).peer))
    await once(server.listen(path), 'listening')
    const asked = request({ socketPath: path }).end()
    const [answer] = (await once(asked, 'response')) as [IncomingMessage]
    expect(await text(answer)).toBe('unix')
    server.close()
  })

  it.each<[string, { listening: boolean; address: unknown }, string]>([
    ['came over TCP and is gone', { listening: true, address: { address: '::', port: 1 } }, ''],
    ['came over TCP to a server that has closed', { listening: false, address: null }, ''],
    ['is on a Unix socket that was inherited', { listening: true, address: null }, 'unix'],
  ])('of Node tells who %s', (_, { listening, address }, peer) => {
    const socket = { server: { listening, address: () => address } }
    expect(headOf({ rawHeaders: [], socket }).peer).toBe(peer)
    expect(headOf({ rawHeaders: [], socket: { server: { listening } } }).peer).toBe('')
  })

  it('of a fetch-style request believes nobody', () => {
    const headers = { host: 'a', origin: 'https://b', 'x-forwarded-for': '1.2.3.4', 'x-forwarded-proto': 'https' }
    expect(headOfRequest(new Request('http://somewhere/', { headers }))).toEqual({
      peer: '',
      isEncrypted: false,
      hosts: ['a'],
      origins: ['https://b'],
      forwardedFor: undefined,
      forwardedProto: undefined,
    })
    expect(headOfRequest(new Request('https://somewhere/'))).toMatchObject({
      isEncrypted: true,
      hosts: undefined,
      origins: [],
    })
  })
})
