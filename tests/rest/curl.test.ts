import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Workplace, createWorkplace } from '../cli/command.js'
import { ROOT, filesUnder } from '../source-tree.js'
import { type PageScript, differences, readPageScript } from './page-script.js'

/** What a block prints ends with this line and the status of the shell. */
const MARK = '--- end of block'

const PROGRAM = join(ROOT, 'packages/standalone/bin/holdfast.js')

/** The address that pages name. */
const SHOWN = 'http://127.0.0.1:8000'

const pages = filesUnder('docs', '.md')
  .map(({ path }) => ({ path, script: readPageScript(path) }))
  .filter(({ script }) => script.blocks.length > 0)

/** What each block has printed, and all that they wrote to the standard error. */
interface PageRun {
  readonly printed: readonly string[]
  readonly complaints: string
}

/** Runs the blocks of a page in one shell, beside a server of their own. */
async function runPage({ files, blocks }: PageScript, workplace: Workplace): Promise<PageRun> {
  const { url } = await workplace.serve('--no-demo')
  for (const [name, content] of files) writeFileSync(join(workplace.directory, name), content)
  const steps = blocks.map(({ code }) => `${code.replaceAll(SHOWN, url)}\nprintf '\\n%s\\n' '${MARK}'`)
  // npx is not asked for what stands here already.
  const npx = `npx() { shift; '${process.execPath}' '${PROGRAM}' "$@"; }`
  const child = spawn('bash', ['-c', [`set -eo pipefail`, npx, ...steps].join('\n')], {
    cwd: workplace.directory,
    env: { ...workplace.env, HOME: workplace.directory },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let printed = ''
  let complaints = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text))
  await new Promise((resolve) => child.once('close', resolve))
  return { printed: printed.split(`\n${MARK}\n`).slice(0, -1), complaints }
}

describe.each(pages)('the blocks of $path', ({ script }) => {
  let workplace: Workplace
  let run: PageRun

  beforeAll(async () => {
    workplace = await createWorkplace()
    run = await runPage(script, workplace)
  })

  afterAll(() => workplace.close())

  it.each(script.blocks.map((block, at) => ({ ...block, at })))('$place runs, and prints what is shown', (block) => {
    const actual = run.printed[block.at]
    expect(actual, `the block, or one before it, has failed: ${run.complaints}`).toBeDefined()
    if (actual?.startsWith('{"error"') && !block.shown?.text.startsWith('{"error"')) expect(actual).toBe('no error')
    expect(block.shown === undefined ? [] : differences(block.shown, actual ?? '')).toEqual([])
  })
})

describe('the pages with blocks that are run', () => {
  it.each(['docs/guides/operations-http.md', 'docs/guides/python.md', 'docs/guides/rest.md'])('include %s', (path) =>
    expect(pages.map((page) => page.path)).toContain(path),
  )
})
