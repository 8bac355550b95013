import * as z from 'zod'
import type { Authenticator } from '../access/authenticator.js'
import { SECRET_BYTES_MIN } from '../access/token.js'
import type { Environment } from './environment.js'
import { isFunction } from './leaves.js'
import { OptionsError } from './options-error.js'

/** Secrets that stand in tutorials. */
const KNOWN_SECRETS = /^(.)\1*$|secret|password|changeme|change-me|your-|example|12345678901234567890/i

/** The schema of `auth`. */
export const authSchema: z.ZodType<unknown> = z.union(
  [
    z.strictObject({
      secret: z.string(),
      issuer: z.string().optional(),
      audience: z.string().optional(),
      claims: z.strictObject({ tenant: z.string().optional(), user: z.string().optional() }).optional(),
      queryToken: z.boolean().optional(),
    }),
    z.custom<Authenticator>((value) => isFunction((value as Authenticator | undefined)?.authenticate)),
  ],
  'an object with secret (text), and optionally issuer, audience, claims, queryToken; or an object with a function authenticate',
)

/** @throws OptionsError when a secret can be guessed. */
export function checkSecret(option: string, secret: string, environment: Environment): void {
  const bytes = Buffer.byteLength(secret)
  if (bytes < SECRET_BYTES_MIN)
    throw new OptionsError(`${option} must be at least ${SECRET_BYTES_MIN} bytes, received ${bytes}`)
  if (environment !== 'development' && KNOWN_SECRETS.test(secret)) {
    throw new OptionsError(
      `${option} must not be a known or repeated word in ${environment}; make one with: openssl rand -base64 48`,
    )
  }
}
