import { spawn } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { differences, readPageScript } from '../rest/page-script.js'
import { ROOT } from '../source-tree.js'
import { FillServer } from './kit/fill-server.js'

/** What a block prints ends with this line. */
const MARK = '--- end of block'

const PROGRAM = join(ROOT, 'apps/fill-scheduler/bin/fill-scheduler.js')
const EXAMPLE = 'apps/fill-scheduler/data/example-lots.csv'

/** The address that the page names. */
const SHOWN = 'http://127.0.0.1:8000'

describe.each(['docs/guides/fill-scheduler.md'])('the blocks of %s', (path) => {
  const { files, blocks } = readPageScript(path, 'run: fill-scheduler')
  let folder: string
  let server: FillServer
  let printed: readonly string[]
  let complaints = ''

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'fill-pages-'))
    server = await FillServer.start()
    for (const [name, content] of files) writeFileSync(join(folder, name), content)
    mkdirSync(join(folder, dirname(EXAMPLE)), { recursive: true })
    copyFileSync(join(ROOT, EXAMPLE), join(folder, EXAMPLE))
    printed = await run()
  })

  afterAll(async () => {
    await server?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  /** Runs all blocks in one shell, as somebody would who reads the page. */
  async function run(): Promise<readonly string[]> {
    const steps = blocks.map(({ code }) => `${code.replaceAll(SHOWN, server.url)}\nprintf '\\n%s\\n' '${MARK}'`)
    // npx is not asked for what stands here already.
    const npx = `npx() { shift; '${process.execPath}' '${PROGRAM}' "$@"; }`
    const child = spawn('bash', ['-c', ['set -eo pipefail', npx, ...steps].join('\n')], {
      cwd: folder,
      env: { PATH: process.env['PATH'] ?? '', HOME: folder },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text))
    await new Promise((resolve) => child.once('close', resolve))
    return output.replaceAll(`${folder}/`, '').split(`\n${MARK}\n`).slice(0, -1)
  }

  it.each(blocks.map((block, at) => ({ ...block, at })))('$place runs, and prints what is shown', ({ at, shown }) => {
    const actual = printed[at]
    expect(actual, `the block, or one before it, has failed: ${complaints}`).toBeDefined()
    expect(actual).not.toContain('{"error"')
    expect(shown === undefined ? [] : differences(shown, actual ?? '')).toEqual([])
  })

  it('are found', () => expect(blocks.length).toBeGreaterThan(7))
})
