import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ByteReader, ByteWriter } from './bytes.js'
import { decodeEntry, encodeEntry, type Entry } from './entry.js'
import { FrameWriter } from './frame.js'
import { encodeHeading, fileName, numbersOf } from './heading.js'

// What was written once has to be read for ever: bytes that change here need a new format version, and a way to read the old one.

const message = {
  id: 'mid',
  offset: 300,
  event: 'chat',
  data: '"é"',
  from: { user: 'ada', connection: 'c1' },
  at: 'now',
  final: true,
}

const ENTRIES: [string, Entry, string][] = [
  [
    'a publish with all it may carry',
    {
      kind: 'publish',
      stream: '1:tr',
      at: 1_767_225_600_000,
      id: 'mid',
      logged: { epoch: 'ep', retention: { size: 10, ttlMs: 60_000 }, message },
      state: { value: 'S', version: 2, until: 7 },
      remembered: { key: 'k', fingerprint: 'f', until: 8 },
    },
    '010704313a747280d0eab6b7330265700ae0d40305ac02036d69640463686174036e6f77036164610263310422c3a92201530207016b016608',
  ],
  [
    'a publish that is not logged',
    { kind: 'publish', stream: '1:tr', at: 1, id: 'mid', logged: undefined, state: undefined, remembered: undefined },
    '010004313a747201036d6964',
  ],
  ['a beginning', { kind: 'begin', stream: '1:tr', at: 1, epoch: 'ep', ttlMs: 60_000 }, '0204313a747201026570e1d403'],
  [
    'a new epoch in an old log',
    { kind: 'begin', stream: '1:tr', at: 1, epoch: 'ep', ttlMs: undefined },
    '0204313a74720102657000',
  ],
  ['a record', { kind: 'put', key: 'k', value: 'v', version: 1, until: 2 }, '03016b01760102'],
  ['a record that was taken', { kind: 'take', key: 'k' }, '04016b'],
  [
    'an entry of a register',
    { kind: 'enter', register: 'r', key: 'k', value: 'v', amount: 300, rank: 7, until: 2 },
    '050172016b0176ac020702',
  ],
  ['an entry that was removed', { kind: 'remove', register: 'r', key: 'k' }, '060172016b'],
  [
    'an entry of an index',
    { kind: 'place', index: 'i', key: 'k', score: -1.5, until: 300 },
    '070169016b000000000000f8bfac02',
  ],
  ['an entry of an index that was removed', { kind: 'displace', index: 'i', key: 'k' }, '080169016b'],
]

describe('the format', () => {
  it.each(ENTRIES)('of %s stays', (_title, entry, hex) => {
    const writer = new ByteWriter()
    encodeEntry(entry, writer)
    expect(writer.bytes.toString('hex')).toBe(hex)
    expect(decodeEntry(new ByteReader(Buffer.from(hex, 'hex')))).toEqual(entry)
  })

  it('of a message from the system stays', () => {
    const entry: Entry = {
      kind: 'publish',
      stream: '1:tr',
      at: 1,
      id: 'mid',
      logged: {
        epoch: 'ep',
        retention: { size: 1, ttlMs: 1 },
        message: { id: 'mid', offset: 1, event: 'e', data: '1', from: { system: true }, at: '' },
      },
      state: undefined,
      remembered: undefined,
    }
    const writer = new ByteWriter()
    encodeEntry(entry, writer)
    expect(writer.bytes.toString('hex')).toBe('010104313a74720102657001010201036d69640165000131')
    expect(decodeEntry(new ByteReader(writer.bytes))).toEqual(entry)
  })

  it('of a frame and a heading stays', () => {
    const frames = new FrameWriter()
    frames.add(2 ** 40 + 5, (payload) => payload.text('take'))
    expect(frames.bytes.toString('hex')).toBe('158968b50500000005000000000100000474616b65')
    expect(encodeHeading({ kind: 'segment', number: 7, sequence: 9 }).toString('hex')).toBe(
      '4846444a010000000700000000000000090000000000000000000000c147a712',
    )
  })

  it('of an entry that a later version wrote is refused', () => {
    expect(() => decodeEntry(new ByteReader(Buffer.from([9])))).toThrow('unknown kind 9')
  })

  it('of names tells files of ours from others', () => {
    expect([fileName('segment', 1), fileName('snapshot', 1_234_567)]).toEqual([
      'journal-000001.log',
      'snapshot-1234567.state',
    ])
    const names = [
      'journal-000010.log',
      'journal-000002.log',
      'journal-2.log',
      'journal-000003.log.damaged',
      'journal-x.log',
      'snapshot-000009.state',
      'lock',
    ]
    expect([numbersOf('segment', names), numbersOf('snapshot', names)]).toEqual([[2, 10], [9]])
  })

  it('is the one that its page describes', () => {
    const page = readFileSync(new URL('../../../../../docs/reference/disk-format.md', import.meta.url), 'utf8')
    for (const word of ['`HFDJ`', '`HFDS`', '`HFDW`', 'format version 1', '32 bytes', 'byte 0 and 512'])
      expect(page).toContain(word)
    for (const kind of [
      '1 | publish',
      '2 | begin',
      '3 | put',
      '4 | take',
      '5 | enter',
      '6 | remove',
      '1 | stream',
      '2 | message',
      '3 | key',
      '4 | record',
      '5 | end',
      '6 | entry',
    ])
      expect(page).toContain(`| ${kind} |`)
  })
})
