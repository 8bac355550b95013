import { createInterface } from 'node:readline/promises'
import type { Settings } from '../planning/settings.js'
import { findStrategy, STRATEGIES } from '../planning/strategies/strategies.js'
import type { StrategyName } from '../planning/strategy-name.js'
import type { Shell } from './shell.js'

/** Asks on the terminal for file, strategy and start; an empty answer keeps what is in brackets. Where nobody can be asked, the settings are as they were. */
export async function askForPlan(settings: Settings, shell: Shell): Promise<Settings> {
  if (!shell.stdin.isTTY) {
    shell.stderr.write('Standard input is no terminal: nobody is asked.\n')
    return settings
  }
  const terminal = createInterface({ input: shell.stdin, output: process.stderr, terminal: true })
  // In this mode the terminal gives Ctrl-C to the reader, not to the process.
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
  const ask = async (question: string, before: string): Promise<string> =>
    (await terminal.question(`${question} [${before}]: `, { signal: shell.interrupted })).trim() || before
  try {
    const data = await ask('File of the lots', settings.data)
    const strategy = await askForStrategy(ask, settings.strategy, shell)
    const start = await askForStart(ask, settings.start, shell)
    return { ...settings, data, strategy, start }
  } finally {
    terminal.close()
  }
}

type Ask = (question: string, before: string) => Promise<string>

async function askForStrategy(ask: Ask, before: StrategyName, shell: Shell): Promise<StrategyName> {
  for (const { name, description } of STRATEGIES) shell.stderr.write(`  ${name.padEnd(12)} ${description}\n`)
  for (;;) {
    const found = findStrategy(await ask('Strategy', before))
    if (found !== undefined) return found.name
    shell.stderr.write(`One of ${STRATEGIES.map(({ name }) => name).join(', ')}, please.\n`)
  }
}

async function askForStart(ask: Ask, before: string, shell: Shell): Promise<string> {
  for (;;) {
    const answer = await ask('Start, YYYY-MM-DD HH:MM', before)
    if (/^\d{4}-\d\d-\d\d \d\d:\d\d$/.test(answer) && !Number.isNaN(Date.parse(`${answer.replace(' ', 'T')}Z`)))
      return answer
    shell.stderr.write('YYYY-MM-DD HH:MM, please.\n')
  }
}
