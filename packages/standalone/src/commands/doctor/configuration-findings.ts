import { createServer } from 'node:net'
import { type Configuration, loadConfiguration, settingSources } from '../../configuration.js'
import { describeError } from '../../failure.js'
import { createLog } from '../../log.js'
import { findSecret, weaknessOf } from '../../secret.js'
import type { Shell } from '../../shell.js'
import { createNode } from '../../standalone-server.js'
import { type Finding, fail, ok, warn } from './finding.js'

/** The settings, where they can be read, and what was found in them. */
export interface ConfigurationLook {
  readonly configuration: Configuration | undefined
  readonly findings: readonly Finding[]
}

/** Looks at the settings that a server would be started with from here. */
export async function configurationFindings(file: string | undefined, shell: Shell): Promise<ConfigurationLook> {
  const sources = { env: shell.env, file }
  try {
    const configuration = await loadConfiguration(sources)
    const set = Array.from((await settingSources(sources)).values(), (source) => source.split(' in ')[0])
    const from = `${file ?? 'no file'}; set: ${set.length > 0 ? set.join(', ') : 'nothing'}`
    const findings = [
      ok('configuration', `${configuration.environment}, ${from}`),
      await secretFinding(configuration, shell),
      await nodeFinding(configuration, shell),
      ...originFindings(configuration),
    ]
    return { configuration, findings }
  } catch (error) {
    const remedy = 'Mend what the message names; docs/reference/configuration.md has every setting'
    return { configuration: undefined, findings: [fail('configuration', describeError(error), remedy)] }
  }
}

async function secretFinding(configuration: Configuration, { cwd }: Shell): Promise<Finding> {
  try {
    const { secret, file } = await findSecret(configuration, cwd)
    if (secret === undefined) return ok('secret', 'none; others sign the tokens')
    const weakness = weaknessOf(secret, true)
    if (weakness !== undefined) return warn('secret', `it ${weakness}`, 'Make one with: openssl rand -base64 48')
    return ok('secret', file === undefined ? 'strong' : `strong, in ${file}`)
  } catch (error) {
    return fail('secret', describeError(error), 'Set HOLDFAST_SECRET to the output of: openssl rand -base64 48')
  }
}

/** What only the server itself can judge: rules, limits, times. */
async function nodeFinding(configuration: Configuration, { cwd, stderr }: Shell): Promise<Finding> {
  try {
    const { secret } = await findSecret(configuration, cwd)
    const log = createLog({ level: 'silent', format: 'json' }, stderr)
    await createNode({ configuration, secret, log, cwd }).close()
    return ok('options', 'a server takes them')
  } catch (error) {
    return fail('options', describeError(error), 'Mend the option that the message names')
  }
}

function originFindings({ environment, origins }: Configuration): readonly Finding[] {
  if (environment === 'development') return []
  if (origins !== undefined) return [ok('origins', JSON.stringify(origins))]
  return [
    warn(
      'origins',
      `in ${environment} no page may connect`,
      'Name your pages: HOLDFAST_ORIGINS=https://app.example.com',
    ),
  ]
}

/** Whether a server could listen where it is told to. Only to be asked while none does. */
export function portFinding({ host, port }: Configuration): Promise<Finding> {
  const check = 'port'
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) =>
      resolve(
        fail(
          check,
          `${host}:${port} cannot be had (${error.code})`,
          'Choose another with PORT, and see who has it with: ss -ltnp',
        ),
      ),
    )
    server.listen({ host, port }, () => server.close(() => resolve(ok(check, `${host}:${port} is free`))))
  })
}
