import { describe, expect, it } from 'vitest'
import { OriginList, type OriginMatch, readOriginEntry } from './origin-list.js'
import { suspicionOf } from './origin-suspicion.js'
import { readOrigin } from './origin-text.js'

function matchIn(entries: readonly string[], sent: string): OriginMatch | undefined {
  const origin = readOrigin(sent)
  const list = new OriginList(
    entries.map((entry) => readOriginEntry(entry, false)),
    false,
  )
  return origin && list.match(origin)
}

function problemOf(entry: string, needsHttps = false): string {
  try {
    readOriginEntry(entry, needsHttps)
  } catch (error) {
    expect(error).toBeInstanceOf(RangeError)
    return (error as Error).message
  }
  return 'nothing is wrong'
}

describe('a list of origins', () => {
  it('has what it names, whatever its case, default port and slash', () => {
    const list = ['HTTPS://App.example.com:443/']
    for (const same of ['https://app.example.com', 'https://APP.example.com/', 'https://app.example.com:443'])
      expect(matchIn(list, same)).toBe('exact')
    for (const other of ['http://app.example.com', 'https://app.example.com:8443', 'https://example.com'])
      expect(matchIn(list, other)).toBeUndefined()
  })

  it('has exactly one label where a wildcard stands', () => {
    const list = ['https://*.example.com', 'https://*.example.org:8443']
    for (const below of ['https://app.example.com', 'https://xn--p1ai.example.com', 'https://x.example.org:8443'])
      expect(matchIn(list, below)).toBe('wildcard')
    for (const other of [
      'https://example.com',
      'https://.example.com',
      'https://a.b.example.com',
      'https://evilexample.com',
      'https://example.com.evil.io',
      'https://app.example.com.evil.io',
      'https://a.b@example.com',
      'http://app.example.com',
      'https://app.example.com:8443',
      'https://x.example.org',
    ])
      expect(matchIn(list, other)).toBeUndefined()
  })

  it('prefers the exact entry', () => {
    expect(matchIn(['https://*.example.com', 'https://app.example.com'], 'https://app.example.com')).toBe('exact')
  })

  it('has null only where it is named, in these letters', () => {
    expect(matchIn(['null'], 'null')).toBe('exact')
    expect(matchIn(['https://app.example.com'], 'null')).toBeUndefined()
    expect(problemOf('NULL')).toMatch(/^must be an origin/)
  })

  it('is empty without an entry, unless it allows those who name no origin', () => {
    expect(new OriginList([], false).isEmpty).toBe(true)
    expect(new OriginList([], true).isEmpty).toBe(false)
    expect(new OriginList([readOriginEntry('null', true)], false).isEmpty).toBe(false)
    expect(new OriginList([readOriginEntry('https://*.example.com', true)], false).isEmpty).toBe(false)
  })
})

describe('an entry', () => {
  it.each([
    'https://app.example.com',
    'https://*.example.com',
    'http://*.example.com:3000',
    'https://*.app.example.co.uk',
    'https://*.mine.github.io',
    'https://*.corp.internal',
    'https://abc.ngrok-free.app',
    'https://203.0.113.7',
    'moz-extension://0b1c2d',
    'capacitor://localhost',
    'null',
  ])('%s is taken', (entry) => expect(problemOf(entry)).toBe('nothing is wrong'))

  it.each([
    'https://*.com',
    'https://*.co.uk',
    'https://*.github.io',
    'https://*.herokuapp.com',
    'https://*.ngrok.io',
    'https://*.trycloudflare.com',
    'https://*.internal',
    'https://*.xn--p1ai',
  ])('%s would let anybody in, and is refused', (entry) =>
    expect(problemOf(entry)).toBe('must have a host that somebody owns right of the *, not a public suffix'),
  )

  it.each(['https://*.loca.lt', 'https://*.mine.ngrok.io', 'https://*.mine.trycloudflare.com'])(
    '%s stands for tunnels, and is refused',
    (entry) => expect(problemOf(entry)).toBe('must name the hosts of a tunnel one by one, without a *'),
  )

  it.each([
    '*',
    'https://*',
    'https://*.*.example.com',
    'https://a*.example.com',
    'https://*a.example.com',
    'https://app.*.com',
    'https://app.example.*',
    '*://app.example.com',
    'https://*.example.com*',
    'https://*.2.3.4',
    'https://*.[::1]',
    'https://*.localhost',
    'https://*.0x7f',
    'chrome-extension://*.example.com',
    'app.example.com',
    'https://app.example.com/page',
    'https://app.example.com.',
    'https://user@app.example.com',
    'https://bücher.example',
    '',
    `https://*.${'a'.repeat(250)}.com`,
  ])('%j is no entry', (entry) => expect(problemOf(entry)).toMatch(/^must be an origin such as/))

  it('without TLS is for other places than production', () => {
    expect(problemOf('http://app.example.com')).toBe('nothing is wrong')
    for (const entry of ['http://app.example.com', 'http://*.example.com', 'http://localhost:3000'])
      expect(problemOf(entry, true)).toBe('must be https in production')
    for (const entry of ['https://app.example.com', 'null', 'chrome-extension://abc', 'capacitor://localhost'])
      expect(problemOf(entry, true)).toBe('nothing is wrong')
  })
})

describe('a suspicion', () => {
  it.each([
    ['https://203.0.113.7', 'address'],
    ['http://[::1]:3000', 'address'],
    ['http://0x7f.1', 'address'],
    ['http://2130706433', 'address'],
    ['http://localhost:30001', 'address'],
    ['https://abc.ngrok.io', 'tunnel'],
    ['https://abc.ngrok-free.app', 'tunnel'],
    ['https://abc.loca.lt', 'tunnel'],
    ['https://abc.trycloudflare.com', 'tunnel'],
    ['chrome-extension://abcdef', 'extension'],
    ['moz-extension://abcdef', 'extension'],
    ['https://app.example.com', undefined],
    ['https://notngrok.io', undefined],
    ['https://ngrok.io.example.com', undefined],
    ['https://localhost.example.com', undefined],
    ['https://1.example', undefined],
    ['null', undefined],
  ])('about %s is %s', (sent, suspicion) => {
    const origin = readOrigin(sent)
    expect(origin && suspicionOf(origin)).toBe(suspicion)
  })
})
