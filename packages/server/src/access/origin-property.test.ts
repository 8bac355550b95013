import { describe, expect, it } from 'vitest'
import { OriginList, readOriginEntry } from './origin-list.js'
import { readOrigin } from './origin-text.js'

// A million origins, most of them nearly right, are looked up by the list and by a reference that knows no patterns, only characters.

const CASES = 1_000_000

const LISTS = [
  ['https://app.example.com'],
  ['https://*.example.com'],
  ['https://app.example.com', 'https://*.example.com:8443', 'null'],
  ['http://localhost:3000', 'http://[::1]:3000', 'https://203.0.113.7'],
  ['https://*.example.co.uk', 'https://a.b.example.co.uk'],
  ['https://*.mine.github.io', 'http://*.example.com'],
  ['chrome-extension://abc', 'https://xn--bcher-kva.example', 'https://*.xn--bcher-kva.example'],
  [],
]

/** One label in place of each `*`, whole origins that resemble those of the lists, and what is none. */
const SEEDS = [
  ...LISTS.flat().map((entry) => entry.replace('*', 'app')),
  ...LISTS.flat().map((entry) => entry.replace('*.', '')),
  'https://evilexample.com',
  'https://example.com.evil.io',
  'https://a.b@example.com',
  'https://example.com@evil.io',
  'https://app.example.com:443',
  'http://app.example.com:80',
  'null',
  '',
]

/** Letters that other code takes for another, or for an end. */
const NASTY = [
  ...['.', ':', '/', '@', '-', '_', '*', '\\', '%', '#', '?', '[', ']', ' ', ',', '\t', '\0', '\n', '+', '0', '4', '8'],
  ...['a', 'A', 'K', 'S', 'i', 'I', '\u212a', '\u017f', '\u0130', '\u0131', '\u3002', '\uff0e', '\u00e9', '\ud800'],
  ...[
    '://',
    '..',
    ':443',
    ':80',
    ':8443',
    ':0443',
    ':65536',
    '//',
    '@evil.io',
    '.evil.io',
    'evil',
    'a.',
    'xn--',
    'null',
  ],
  'x'.repeat(240),
]

/** Marsaglia's xorshift: repeatable, and quick. */
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

function mutated(text: string, below: (bound: number) => number): string {
  const at = below(text.length + 1)
  const nasty = NASTY[below(NASTY.length)] ?? ''
  const how = below(5)
  if (how === 0) return text.slice(0, at) + nasty + text.slice(at)
  if (how === 1) return text.slice(0, at) + text.slice(at + 1)
  if (how === 2) return text.slice(0, at) + nasty + text.slice(at + 1)
  if (how === 3) return text.slice(0, at) + text.slice(at).toUpperCase()
  return text + (nasty === '\0' ? '/' : nasty)
}

// The reference

const LETTERS = 'abcdefghijklmnopqrstuvwxyz'
const CAPITALS = LETTERS.toUpperCase()
const DIGITS = '0123456789'

function small(text: string): string {
  let result = ''
  for (const letter of text) result += CAPITALS.includes(letter) ? LETTERS[CAPITALS.indexOf(letter)] : letter
  return result
}

const consistsOf = (text: string, letters: string): boolean =>
  text !== '' && Array.from(text).every((letter) => letters.includes(letter))

/** Scheme, labels of the host, port. */
type Parts = readonly [scheme: string, labels: readonly string[], port: string]

function partsOf(origin: string): Parts | undefined {
  if (origin === 'null') return ['null', [], '']
  if (origin.length > 253) return undefined
  const end = origin.indexOf('://')
  const scheme = small(origin.slice(0, Math.max(0, end)))
  if (!consistsOf(scheme, `${LETTERS}${DIGITS}+.-`) || !LETTERS.includes(scheme.charAt(0))) return undefined
  let rest = small(origin.slice(end + 3))
  if (rest.endsWith('/')) rest = rest.slice(0, -1)
  const colon = rest.lastIndexOf(':')
  const hasPort = colon > rest.lastIndexOf(']') && colon >= 0
  const port = hasPort ? rest.slice(colon + 1) : ''
  const host = hasPort ? rest.slice(0, colon) : rest
  if (hasPort && (!consistsOf(port, DIGITS) || port.startsWith('0') || port.length > 5 || Number(port) > 65_535))
    return undefined
  const own = { http: '80', https: '443' }[scheme]
  const told = port === own ? '' : port
  if (host.startsWith('[') && host.endsWith(']'))
    return consistsOf(host.slice(1, -1), `abcdef${DIGITS}:.`) ? [scheme, [host], told] : undefined
  const labels = host.split('.')
  return labels.every((label) => consistsOf(label, `${LETTERS}${DIGITS}-_`)) ? [scheme, labels, told] : undefined
}

function isSame([scheme, labels, port]: Parts, other: Parts): boolean {
  return scheme === other[0] && port === other[2] && labels.join('.') === other[1].join('.')
}

type Entry = readonly [wildcard: boolean, parts: Parts]

function entryOf(entry: string): Entry {
  const parts = partsOf(entry.replace('://*.', '://'))
  if (parts === undefined) throw new Error(`${entry} is no entry`)
  return [entry.includes('*'), parts]
}

function isAllowed(entries: readonly Entry[], origin: string): boolean {
  const parts = partsOf(origin)
  if (parts === undefined) return false
  const [scheme, labels, port] = parts
  return entries.some(([wildcard, entry]) => {
    if (!wildcard) return isSame(entry, parts)
    const isAddress = labels[0]?.startsWith('[') ?? true
    return !isAddress && labels.length === entry[1].length + 1 && isSame(entry, [scheme, labels.slice(1), port])
  })
}

describe('the list of origins', () => {
  it('T-002, T-003 allows what the reference allows and nothing else, in a million generated cases', () => {
    const lists = LISTS.map((entries) => ({
      list: new OriginList(
        entries.map((entry) => readOriginEntry(entry, false)),
        false,
      ),
      entries: entries.map(entryOf),
    }))
    const below = random(20_260_121)
    const differing: string[] = []
    let allowed = 0
    for (let count = 0; count < CASES; count += 1) {
      let origin = SEEDS[below(SEEDS.length)] ?? ''
      for (let changes = below(4); changes > 0; changes -= 1) origin = mutated(origin, below)
      const { list, entries } = lists[count % lists.length] ?? lists[0]!
      const read = readOrigin(origin)
      const isIn = read !== undefined && list.match(read) !== undefined
      if (isIn) allowed += 1
      if (isIn !== isAllowed(entries, origin)) differing.push(JSON.stringify(origin))
    }
    expect(differing.slice(0, 10)).toEqual([])
    // Enough of both, or the comparison would say nothing.
    expect(allowed).toBeGreaterThan(CASES / 50)
    expect(allowed).toBeLessThan(CASES / 2)
  })
})
