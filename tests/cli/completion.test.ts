import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { COMMANDS } from '../../packages/standalone/src/commands/catalogue.js'
import { type Workplace, createWorkplace } from './command.js'

let place: Workplace

beforeAll(async () => {
  place = await createWorkplace()
  // What a word is called like, too, and what has to be quoted.
  await mkdir(join(place.directory, 'serve'))
  await writeFile(join(place.directory, 'zero point.txt'), '')
})
afterAll(() => place.close())

/** What a shell offers for the last of some words, asked of the shell itself. */
type Complete = (words: readonly string[]) => Promise<readonly string[]>

async function linesOf(program: string, args: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)(program, args, { cwd: place.directory })
  return stdout.split('\n').filter((line) => line !== '')
}

const quoted = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(' ')

/** Each shell, with the file that the script is in. */
const SHELLS: Readonly<Record<string, (file: string) => Complete>> = {
  bash: (file) => (words) => {
    const set = `COMP_WORDS=(${quoted(words)}); COMP_CWORD=${words.length - 1}`
    return linesOf('bash', ['-c', `source ${file}; ${set}; _holdfast; printf '%s\\n' "\${COMPREPLY[@]}"`])
  },
  zsh: (file) => (words) => {
    const set = `words=(${quoted(words)}); CURRENT=${words.length}`
    // The two that only a line that is being typed has.
    const typed = 'compadd() { shift; print -l -- ${(M)@:#${words[CURRENT]}*} | grep . }; _files() { }'
    return linesOf('zsh', ['-f', '-c', `compdef() { }; ${typed}; source ${file}; ${set}; _holdfast`])
  },
  fish: (file) => async (words) => {
    const lines = await linesOf('fish', ['--no-config', '-c', `source ${file}; complete -C '${words.join(' ')}'`])
    const offered = lines.map((line) => line.split('\t')[0]!)
    return offered.filter((word) => !word.startsWith('zero') && !word.endsWith('/'))
  },
}

describe.each(Object.entries(SHELLS))('in %s', (shell, completeOf) => {
  let complete: Complete

  beforeAll(async () => {
    const file = join(place.directory, `completion.${shell}`)
    await writeFile(file, (await place.run('completion', shell)).stdout)
    complete = completeOf(file)
  })

  it('completion offers every command', async () => {
    const offered = await complete(['holdfast', ''])
    expect(offered).toEqual(expect.arrayContaining(COMMANDS.map(({ name }) => name)))
  })

  it.each<[what: string, words: string, offered: readonly string[]]>([
    ['the commands of a command', 'operation re', ['report']],
    ['its options behind an argument', 'operation report import-42 --do', ['--done']],
    ['options behind the argument of a command', 'watch import-42 --js', ['--json']],
    ['commands behind an option with its value', 'key --tenant acme r', ['revoke', 'rotate']],
    ['what an argument may be', 'completion f', ['fish']],
    ['what can be explained', 'help op', ['openapi', 'operation']],
    ['no command where a value stands', 'publish --event pres', []],
    ['nothing of its own in the command of another', 'run -- ls --', []],
    ['no command behind one that has none', 'history pres', []],
  ])('completion offers %s', async (_, words, offered) => {
    expect((await complete(['holdfast', ...words.split(' ')])).toSorted()).toEqual(offered)
  })
})

it('completion leaves names of files to bash, which knows how to quote them', async () => {
  const { stdout } = await place.run('completion', 'bash')
  expect(stdout).toContain('complete -o bashdefault -o default -F _holdfast holdfast')
})

it('completion of another shell is wrong usage', async () => {
  expect((await place.run('completion', 'csh')).code).toBe(2)
})
