import { signToken } from '@holdfast/server'
import { loadConfiguration } from '../configuration.js'
import { parseDuration } from '../duration.js'
import { EXIT, Failure, describeError } from '../failure.js'
import { findSecret } from '../secret.js'
import type { Shell } from '../shell.js'

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
  const { secret } = await findSecret(configuration, shell.cwd)
  const { issuer, audience, claims } = configuration.auth
  if (claims) throw new Failure('holdfast token cannot make tokens where auth.claims renames their claims', EXIT.usage)
  const named = { ...(issuer !== undefined && { issuer }), ...(audience !== undefined && { audience }) }
  try {
    shell.stdout.write(`${signToken({ secret, tenant, user, roles, ttlSeconds: ttlMs / 1000, ...named })}\n`)
  } catch (error) {
    throw new Failure(`--${describeError(error)}`, EXIT.usage)
  }
  return EXIT.done
}
