import { describe, expect, it } from 'vitest'
import { createOutputLines } from './output-lines.js'
import { type OutputReaderOptions, createOutputReader, phasePattern, progressPattern } from './output-progress.js'

/** What the last line says, its message aside. */
function last(output: string, options: OutputReaderOptions = {}): object {
  const read = createOutputReader(options)
  const readings = createOutputLines().take(output).map(read)
  const { message: _message, ...rest } = Object.assign({}, ...readings) as { message?: string }
  return rest
}

describe('progress in the output of a command', () => {
  it.each([
    ['42%\n', { percent: 42 }],
    ['Building 42.5 % done\n', { percent: 42.5 }],
    ['[ 42%] Building C object\n', { percent: 42 }],
    ['tests/test_a.py ....... [ 87%]\n', { percent: 87 }],
    ['3/10\n', { done: 3, total: 10 }],
    ['[3/10] RUN make\n', { done: 3, total: 10 }],
    ['(3 of 10): Fetching\n', { done: 3, total: 10 }],
    ['1,234/5,487 files\n', { done: 1234, total: 5487 }],
    ['   1.2/3.4 MB 5.0 MB/s\n', { done: 1.2, total: 3.4, unit: 'MB' }],
    ['step 3 / 10\n', { done: 3, total: 10 }],
    ['Receiving objects:  42% (420/1000), 1.2 MiB | 500 KiB/s\r', { done: 420, total: 1000 }],
    ['file.iso   42%[=====>        ]   1.20M   500KB/s    eta 3s\r', { percent: 42 }],
    ['  1,234,567  42%    1.23MB/s    0:00:12 (xfr#5, to-chk=50/200)\n', { done: 150, total: 200 }],
    ['  1,234,567  42%    1.23MB/s    0:00:12\r', { percent: 42 }],
    [' 42  100M   42 42.0M    0     0  10.0M      0  0:00:10  0:00:04  0:00:06 10.1M\r', { percent: 42 }],
    ['######################                 42.0%\r', { percent: 42 }],
    ['tar: Write checkpoint 1200\n', { done: 1200, unit: 'checkpoints' }],
    ['10%\r20%\r30%\r', { percent: 30 }],
    ['10% 20% 30% ', { percent: 30 }],
    ['\u001B[32m42%\u001B[0m done\n', { percent: 42 }],
  ])('%j says %j', (output, reading) => {
    expect(last(output)).toEqual(reading)
  })

  it.each([
    'a/b/3/10\n',
    '2026/11/21 12:30:00 started\n',
    '11/21 12:30:00 started\n',
    'http://host/3/10\n',
    '24/7\n',
    '142%\n',
    'at %d of %s\n',
    '5/0\n',
    'version 1.2.3/4.5.6\n',
    '  % Total    % Received % Xferd  Average Speed\n',
    'done 1/1',
  ])('%j says nothing', (output) => {
    expect(last(output)).toEqual({})
  })

  it('listens to the surest form, whatever else is in between', () => {
    expect(last('93% of the disk is full\n[1/4] Fetching\n55%\n')).toMatchObject({ done: 1, total: 4 })
    expect(last('[1/4] Fetching\n55%\n7/9\n')).toEqual({ done: 1, total: 4 })
  })

  it('takes a line that comes in pieces for one', () => {
    const lines = createOutputLines()
    const read = createOutputReader({ countLines: true })
    const dones = ['a', 'b\nc', '\nd'].map((text) => lines.take(text).map(read).at(-1)?.done)
    expect(dones).toEqual([0, 1, 2])
  })

  it('reads by a pattern of the caller, and nothing else', () => {
    const pattern = progressPattern('row (?<done>\\d+) of (?<total>\\d+): (?<item>.*)')
    expect(last('55%\nrow 5 of 9: Ada\n', { pattern })).toEqual({ done: 5, total: 9, item: 'Ada' })
    expect(last('55%\n', { pattern })).toEqual({})
    expect(last('p=55\n', { pattern: progressPattern('p=(?<percent>\\d+)') })).toEqual({ percent: 55 })
  })

  it('finds phases by a pattern', () => {
    const options = { phasePattern: phasePattern('^== (.*)$') }
    expect(last('== copy\n3/10\n', options)).toEqual({ phase: 'copy', done: 3, total: 10 })
    expect(last('== copy\n', { phasePattern: phasePattern('(?<phase>copy)') })).toEqual({ phase: 'copy' })
  })

  it('says what is wrong with a pattern', () => {
    expect(() => progressPattern('(\\d+)%')).toThrow('--pattern must name one of the groups percent, done')
    expect(() => progressPattern('(?<percent>')).toThrow('--pattern must be a regular expression')
    expect(() => phasePattern('(')).toThrow('--phase-pattern must be a regular expression')
  })

  it('looks for nothing where it is told to', () => {
    expect(last('42%\n', { known: false })).toEqual({})
  })

  it('keeps the end of a line that never ends', () => {
    const lines = createOutputLines()
    for (let at = 0; at < 100; at += 1) lines.take('.'.repeat(1_000))
    const [line] = lines.take(' 42%!')
    expect(line?.text.length).toBeLessThanOrEqual(4_096)
    expect(createOutputReader({})(line ?? { text: '', isOpen: true })).toMatchObject({ percent: 42 })
  })
})
