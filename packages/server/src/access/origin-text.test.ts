import { describe, expect, it } from 'vitest'
import { parentOf, readOrigin } from './origin-text.js'

const textOf = (origin: string): string | undefined => readOrigin(origin)?.text

describe('an origin', () => {
  it.each([
    ['https://app.example.com', 'https://app.example.com'],
    ['HTTPS://App.EXAMPLE.com', 'https://app.example.com'],
    ['https://app.example.com/', 'https://app.example.com'],
    ['https://app.example.com:443', 'https://app.example.com'],
    ['http://app.example.com:80/', 'http://app.example.com'],
    ['http://app.example.com:443', 'http://app.example.com:443'],
    ['https://app.example.com:8443', 'https://app.example.com:8443'],
    ['https://xn--bcher-kva.example', 'https://xn--bcher-kva.example'],
    ['http://127.0.0.1:3000', 'http://127.0.0.1:3000'],
    ['http://[::1]:3000', 'http://[::1]:3000'],
    ['http://localhost', 'http://localhost'],
    ['chrome-extension://abcdefgh', 'chrome-extension://abcdefgh'],
    ['capacitor://localhost', 'capacitor://localhost'],
    ['https://my_host.example.com', 'https://my_host.example.com'],
    ['null', 'null'],
  ])('%s is %s', (sent, compared) => expect(textOf(sent)).toBe(compared))

  it.each([
    '',
    'app.example.com',
    '//app.example.com',
    'https:app.example.com',
    'https:/app.example.com',
    'https:\\\\app.example.com',
    'https://',
    'https://.',
    'https://app.example.com.',
    'https://app..example.com',
    'https://.example.com',
    'https://app.example.com//',
    'https://app.example.com/page',
    'https://app.example.com?x',
    'https://app.example.com#x',
    'https://user@app.example.com',
    'https://a:b@app.example.com',
    'https://app.example.com@evil.test',
    'https://app.example.com:',
    'https://app.example.com:0443',
    'https://app.example.com:0',
    'https://app.example.com:65536',
    'https://app.example.com:443:443',
    'https://app.example.com:https',
    ' https://app.example.com',
    'https://app.example.com ',
    'https://app.example.com\n',
    'https://app.example.com\t',
    'https://app.example.com\0',
    'https://app%2eexample.com',
    'https://app。example.com',
    'https://bücher.example',
    // Letters that become those of ASCII when they change their case.
    'https://app.\u212aelvin.com',
    'http\u017f://app.example.com',
    'https://*.example.com',
    'https://[::1',
    'https://::1',
    'Null',
    'null ',
    'null/',
    'https://a.example.com, https://b.example.com',
  ])('%j is none', (sent) => expect(textOf(sent)).toBeUndefined())

  it('has at most 253 characters', () => {
    const long = (length: number): string => `https://${'a'.repeat(length - 'https://'.length)}`
    expect(textOf(long(253))).toBe(long(253))
    expect(textOf(long(254))).toBeUndefined()
    expect(textOf(`https://${'a.'.repeat(5_000)}a`)).toBeUndefined()
  })

  it.each([
    ['https://app.example.com', 'https://example.com'],
    ['https://app.example.com:8443', 'https://example.com:8443'],
    ['https://a.b.example.com', 'https://b.example.com'],
    ['https://localhost', undefined],
    ['https://[1.2::1]', undefined],
    ['null', undefined],
  ])('%s is below %s', (sent, above) => {
    const origin = readOrigin(sent)
    expect(origin && parentOf(origin)).toBe(above)
  })
})
