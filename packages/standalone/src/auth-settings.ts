import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { EXIT, Failure, describeError } from './failure.js'

const text = z.string({ error: 'text' })

/** Its members are checked by the server itself, which knows them. */
const members = z.record(z.string(), z.unknown(), { error: 'a mapping of names to values' })
const list = (what: string): z.ZodType<Members[]> => z.array(members, { error: `a list of ${what}` })

type Members = Readonly<Record<string, unknown>>

/** Whose tokens are believed, as the file says it. */
export interface AuthSettings {
  readonly issuer?: string | undefined
  readonly audience?: string | readonly string[] | undefined
  readonly claims?: Members | undefined
  readonly algorithm?: string | undefined
  readonly type?: string | undefined
  readonly tenant?: string | readonly string[] | undefined
  readonly maxLifetime?: string | number | undefined
  readonly clockToleranceMs?: number | undefined
  /** Each with `algorithm` and `key`, or `file` in place of `key`. */
  readonly keys?: readonly Members[] | undefined
  readonly jwks?: Members | undefined
  readonly issuers?: readonly Members[] | undefined
  /** What those may do who bring no credential. */
  readonly anonymous?: Members | undefined
  readonly queryToken?: boolean | undefined
  /** Keys for servers: id, hash, tenant, grants, permissions. */
  readonly apiKeys?: readonly Members[] | undefined
}

/** The schema of `auth`. */
export const authSettings: z.ZodType<AuthSettings> = z.strictObject(
  {
    issuer: text.optional(),
    audience: z.union([text, z.array(text)], { error: 'text, or a list of texts' }).optional(),
    claims: members.optional(),
    algorithm: text.optional(),
    type: text.optional(),
    tenant: z.union([text, z.array(text)], { error: 'text, or a list of texts' }).optional(),
    maxLifetime: z.union([text, z.number()], { error: 'text such as 24h' }).optional(),
    clockToleranceMs: z.number({ error: 'milliseconds' }).optional(),
    keys: list('keys').optional(),
    jwks: members.optional(),
    issuers: list('issuers').optional(),
    anonymous: members.optional(),
    queryToken: z.boolean({ error: 'true or false' }).optional(),
    apiKeys: list('keys').optional(),
  },
  { error: 'a mapping with issuer, audience, claims, keys, jwks, issuers, anonymous, queryToken or apiKeys' },
)

/** What variables say of `auth`. */
export interface AuthVariables {
  readonly jwksUrl?: string | undefined
  readonly tokenIssuer?: string | undefined
  readonly tokenAudience?: string | undefined
}

/** The settings with what variables say in the place of what the file says, and every key that lies in a file read. Throws a `Failure` naming one that cannot be. */
export async function completeAuth(auth: AuthSettings, variables: AuthVariables): Promise<AuthSettings> {
  const { jwksUrl, tokenIssuer, tokenAudience } = variables
  const { keys, issuers } = auth
  return {
    ...auth,
    ...(tokenIssuer !== undefined && { issuer: tokenIssuer }),
    ...(tokenAudience !== undefined && { audience: tokenAudience }),
    ...(jwksUrl !== undefined && { jwks: { ...auth.jwks, url: jwksUrl } }),
    ...(keys && { keys: await readKeys('auth.keys', keys) }),
    ...(issuers && {
      issuers: await Promise.all(issuers.map((issuer, at) => readIssuer(`auth.issuers.${at}`, issuer))),
    }),
  }
}

/** An issuer with the keys read that lie in files. */
async function readIssuer(name: string, issuer: Members): Promise<Members> {
  const keys = list('keys').safeParse(issuer['keys'])
  return keys.success ? { ...issuer, keys: await readKeys(`${name}.keys`, keys.data) } : issuer
}

function readKeys(name: string, keys: readonly Members[]): Promise<Members[]> {
  return Promise.all(keys.map((key, at) => readKey(`${name}.${at}.file`, key)))
}

async function readKey(name: string, { file, ...key }: Members): Promise<Members> {
  if (file === undefined) return key
  if (typeof file !== 'string') throw new Failure(`${name} must be the path of a file`, EXIT.usage)
  const pem = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new Failure(`${name} must be a file that can be read: ${describeError(error)}`, EXIT.usage)
  })
  return { ...key, key: pem }
}
