import { loadConfiguration } from '../configuration.js'
import { parseDuration } from '../duration.js'
import { EXIT, Failure } from '../failure.js'
import { requireSecret } from '../secret.js'
import type { Shell } from '../shell.js'
import { createTokenMint } from '../token-mint.js'

/** The flags of `holdfast token`. */
export interface TokenOptions {
  readonly tenant: string
  readonly user: string
  readonly role: string[]
  readonly ttl: string
  readonly config?: string
}

/** Prints a token and nothing else. */
export async function token(options: TokenOptions, shell: Shell): Promise<number> {
  const { tenant, user, role: roles, ttl } = options
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
  shell.stdout.write(`${mint({ tenant, user, roles, ttlSeconds: ttlMs / 1000 })}\n`)
  return EXIT.done
}
