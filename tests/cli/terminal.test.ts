import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Workplace, createWorkplace } from './command.js'
import { screenAfter } from './screen.js'

const SIZE = { columns: 70, rows: 12 }

let place: Workplace

beforeAll(async () => {
  place = await createWorkplace({ TERM: 'xterm-256color' })
  await place.serve('--no-demo')
})

afterAll(() => place?.close())

const shownBy = (output: string): string[] => screenAfter(output, SIZE.columns, SIZE.rows).filter((line) => line !== '')

describe('on a terminal', () => {
  it('run keeps the bar on the last line, below what the command prints, within the width', async () => {
    const script = 'for i in 1 2 3 4 5 6 7 8; do echo "line $i"; echo "$i/8"; sleep 0.2; done'
    const run = place.startOnTerminal(SIZE, 'run', '--id', 'bar', '--label', 'Eight', '--', 'sh', '-c', script)
    await run.printed(/line 7/)
    await run.printed(/▕.*▏.*%/)
    const { code, stdout } = await run.ended
    expect(code).toBe(0)
    const moments = stdout.split('\u001B[K').map((_, at, parts) => shownBy(parts.slice(0, at + 1).join('\u001B[K')))
    const isBar = (line: string): boolean => line.includes('▕')
    const drawn = moments.filter((lines) => lines.some(isBar))
    expect(drawn.length).toBeGreaterThan(5)
    expect(drawn.filter((lines) => lines.findIndex(isBar) !== lines.length - 1)).toEqual([])
    expect(shownBy(stdout).at(-1)).toMatch(/^Eight {2}▕█+▏ {2}100% {2}8\/8 {2}completed after \d/)
    expect(shownBy(stdout)).toEqual(expect.arrayContaining(['line 7', '7/8', 'line 8', '8/8']))
    expect(stdout).toContain('\u001B[36m')
  })

  it('run leaves a question where it stands, and the answer goes to the command', async () => {
    const script = 'printf "Your name? "; read name; echo "Hello $name"'
    const run = place.startOnTerminal(SIZE, 'run', '--', 'sh', '-c', script)
    await run.printed(/Your name\? .*▕/s)
    run.child.stdin.write('Ada\r')
    const { code, stdout } = await run.ended
    expect(code).toBe(0)
    expect(shownBy(stdout)).toEqual(expect.arrayContaining(['Your name? Ada', 'Hello Ada']))
  })

  it('run is cancelled by Ctrl-C', async () => {
    const run = place.startOnTerminal(SIZE, 'run', '--id', 'interrupted', '--', 'sh', '-c', 'echo begun; sleep 60')
    await run.printed(/begun\r\n/)
    run.child.stdin.write('\u0003')
    const { code, stdout } = await run.ended
    expect(code).toBe(130)
    expect(shownBy(stdout).at(-1)).toMatch(/cancelled after/)
  })

  it('run says how to kill what does not stop, and leaves no old bar behind', async () => {
    const script = `trap '' INT; echo "${'long line '.repeat(20)}"; while :; do sleep 0.1; done`
    const run = place.startOnTerminal(SIZE, 'run', '--id', 'stubborn', '--label', 'Stubborn', '--', 'sh', '-c', script)
    await run.printed(/…/)
    run.child.stdin.write('\u0003')
    await run.printed(/stopping; Ctrl-C again kills it/)
    run.child.stdin.write('\u0003')
    const { code, stdout } = await run.ended
    expect(code).toBe(130)
    const bars = shownBy(stdout).filter((line) => line.includes('▕'))
    expect(bars).toEqual([expect.stringMatching(/cancelled after/)])
  })

  it('watch draws a line for each of several operations', async () => {
    for (const id of ['first', 'second']) await place.run('operation', 'start', id, '--kind', 'job', '--total', '10')
    const watched = place.startOnTerminal(SIZE, 'watch', 'first', 'second')
    await watched.printed(/second.*▕/s)
    await place.run('operation', 'complete', 'first')
    await place.run('operation', 'cancelled', 'second')
    const { code, stdout } = await watched.ended
    expect(code).toBe(3)
    const lines = shownBy(stdout)
    expect(lines).toHaveLength(2)
    expect(lines[0]).toMatch(/^first {3,}.*completed after/)
    expect(lines[1]).toMatch(/^second {2}.*cancelled after/)
  })

  it('prints tables for people, and no colours where they are not wanted', async () => {
    const { stdout } = await place.startOnTerminal(SIZE, 'operation', 'list').ended
    expect(stdout).toMatch(/ID +STATE +PROGRESS/)
    expect(stdout).toContain('\u001B[2m')
    place.env['NO_COLOR'] = '1'
    expect((await place.startOnTerminal(SIZE, 'operation', 'list').ended).stdout).not.toContain('\u001B')
    delete place.env['NO_COLOR']
    expect((await place.run('doctor')).stdout).not.toContain('\u001B')
  })
})
