import { loadConfiguration } from '../configuration.js'
import { parseDuration } from '../duration.js'
import { EXIT, Failure } from '../failure.js'
import { requireSecret } from '../secret.js'
import type { Shell } from '../shell.js'
import { createTokenMint } from '../token-mint.js'
import { type Declare, collect, configOption, examples } from './command.js'

/** The flags of `holdfast token`. */
interface TokenOptions {
  readonly tenant: string
  readonly user: string
  readonly role?: readonly string[]
  readonly permission?: readonly string[]
  readonly ttl: string
  readonly config?: string
}

/** `holdfast token`. */
export const declareToken: Declare = (command, { shell, end }) => {
  command
    .requiredOption('--tenant <tenant>', 'tenant that the token is for')
    .requiredOption('--user <user>', 'user that the token is for')
    .option('--role <role>', 'role of the user (may be repeated)', collect)
    .option('--permission <name>', 'what it may besides channels, such as operations (may be repeated)', collect)
    .option('--ttl <duration>', 'how long it is valid: 30s, 15m, 1h, 7d', '1h')
    .addOption(configOption())
    .addHelpText(
      'after',
      examples(
        'holdfast token --tenant acme --user ada',
        'holdfast token --tenant acme --user ada --role editor --ttl 15m',
        'holdfast token --tenant acme --user importer --permission operations.own',
      ),
    )
    .action(async (options: TokenOptions) => end(await token(options, shell)))
}

/** Prints a token and nothing else. */
async function token(options: TokenOptions, shell: Shell): Promise<number> {
  const { tenant, user, role: roles = [], permission: permissions, ttl } = options
  const ttlMs = parseDuration(ttl)
  if (ttlMs === undefined || ttlMs < 1000) {
    throw new Failure(
      `--ttl must be a duration from 1s such as 30s, 15m, 1h or 7d, received ${JSON.stringify(ttl)}`,
      EXIT.usage,
    )
  }
  const configuration = await loadConfiguration({ env: shell.env, file: options.config })
  const secret = await requireSecret(configuration, shell.cwd)
  const mint = createTokenMint(secret, configuration.auth)
  shell.stdout.write(
    `${mint({ tenant, user, roles, ...(permissions && { permissions }), ttlSeconds: ttlMs / 1000 })}\n`,
  )
  return EXIT.done
}
