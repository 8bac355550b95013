import { systemClock } from '../../clock.js'
import { EXIT } from '../../failure.js'
import type { Shell } from '../../shell.js'
import { type Palette, paletteOf } from '../../terminal/palette.js'
import { printable } from '../../terminal/text-width.js'
import { printJson, wantsJson } from '../answer-output.js'
import { type Declare, addRemoteOptions, examples } from '../command.js'
import type { RemoteOptions } from '../server-access.js'
import { configurationFindings, portFinding } from './configuration-findings.js'
import { engineFindings } from './engine-findings.js'
import type { Finding } from './finding.js'
import { machineFindings } from './machine-findings.js'
import { serverFindings } from './server-findings.js'

interface DoctorOptions extends RemoteOptions {
  readonly json?: boolean
}

/** `holdfast doctor`. */
export const declareDoctor: Declare = (command, { shell, end }) => {
  command.option('--json', 'a finding for each line, as JSON, also on a terminal')
  addRemoteOptions(command)
    .addHelpText(
      'after',
      `${examples('holdfast doctor', 'holdfast doctor --config holdfast.yaml --url wss://example.com/ws')}\nEnds with 1 when something fails.\n`,
    )
    .action(async (options: DoctorOptions) => end(await doctor(options, shell)))
}

/** Looks at everything that a server needs and prints what it found, as it is found; resolves with 1 when something fails. */
async function doctor(options: DoctorOptions, shell: Shell): Promise<number> {
  const print = wantsJson(options, shell) ? (finding: Finding) => printJson(finding, shell) : lines(shell)
  const findings: Finding[] = []
  const tell = (found: readonly Finding[]): void => {
    for (const finding of found) print(finding)
    findings.push(...found)
  }
  const look = await configurationFindings(options.config, shell)
  tell(look.findings)
  tell(await machineFindings())
  if (look.configuration) tell(await engineFindings(look.configuration, shell.cwd, systemClock))
  const server = await serverFindings(options, shell, systemClock)
  if (!server.isThere && look.configuration) tell([await portFinding(look.configuration)])
  tell(server.findings)
  return findings.some(({ state }) => state === 'fail') ? EXIT.failed : EXIT.done
}

const CHECK_COLUMNS = 18

function lines({ stdout, env }: Shell): (finding: Finding) => void {
  const palette = paletteOf(stdout, env)
  return ({ check, state, message, remedy }) => {
    stdout.write(
      `${colourOf(state, palette)(state.padEnd(4))}  ${check.padEnd(CHECK_COLUMNS)}  ${printable(message)}\n`,
    )
    if (remedy !== undefined) stdout.write(`${' '.repeat(CHECK_COLUMNS + 8)}${palette.dim(remedy)}\n`)
  }
}

function colourOf(state: Finding['state'], { green, yellow, red }: Palette): (text: string) => string {
  return { ok: green, warn: yellow, fail: red }[state]
}
