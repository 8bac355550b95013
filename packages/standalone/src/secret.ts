import { randomBytes, randomUUID } from 'node:crypto'
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import type { Configuration } from './configuration.js'
import { EXIT, Failure, describeError } from './failure.js'

/** Bytes of the shortest secret that is accepted. */
export const SECRET_BYTES_MIN = 32
const DISTINCT_CHARACTERS_MIN = 10
const UNKNOWN_CHARACTERS_MIN = 16

/** What is found in examples, guides and first guesses; a secret must hold enough besides. */
const KNOWN_WORDS =
  /a-string-secret-at-least-256-bits-long|your-256-bit-secret|change-?me|default|development|example|holdfast|insecure|password|please|private|production|secret|staging|super|test|token|your|key|0123456789abcdef|0123456789|123456|abcdefghijklmnopqrstuvwxyz|qwertyuiop|jwt|my/gi

/** The secret that tokens are signed with, and where it came from. */
export interface FoundSecret {
  /** Undefined: there is none, and whoever is believed is believed by other keys. */
  readonly secret: string | undefined
  /** The file it is kept in; undefined when it was given. */
  readonly file: string | undefined
  readonly made: boolean
}

/**
 * The secret of the configuration; in development, without one, that of `<data dir>/secret`, made and kept there (mode
 * 0600) on first use. Staging and production make none: there it may be left out where the configuration names other
 * keys. Throws a `Failure` that says what to set when it names nothing at all, or when the secret is too short or well
 * known.
 */
export async function findSecret(configuration: Configuration, cwd: string): Promise<FoundSecret> {
  const { secret, environment } = configuration
  if (secret !== undefined) {
    const problem = weaknessOf(secret, environment !== 'development')
    if (problem) throw new Failure(`HOLDFAST_SECRET ${problem}. ${REMEDY}`, EXIT.usage)
    return { secret, file: undefined, made: false }
  }
  if (environment === 'development') return keepSecret(cwd, configuration.dataDir)
  if (namesOtherKeys(configuration)) return { secret: undefined, file: undefined, made: false }
  throw new Failure(
    `HOLDFAST_SECRET must be set in ${environment}, where auth names no keys, jwks, issuers or apiKeys. ${REMEDY}`,
    EXIT.usage,
  )
}

/** As `findSecret`, for whoever makes tokens. Throws a `Failure` where there is none, too. */
export async function requireSecret(configuration: Configuration, cwd: string): Promise<string> {
  const { secret } = await findSecret(configuration, cwd)
  if (secret !== undefined) return secret
  throw new Failure(
    'tokens cannot be made here: the server believes those of others, and has no secret. Give one of theirs with --token or HOLDFAST_TOKEN, where a command takes one',
    EXIT.usage,
  )
}

const REMEDY = 'Set it to at least 32 random bytes, such as the output of: openssl rand -base64 48'

/** Whether somebody can come in without tokens that the secret signs. */
function namesOtherKeys({ auth, tenants = {} }: Configuration): boolean {
  const { keys = [], jwks, issuers = [], apiKeys = [] } = auth
  const ofTenants = Object.values(tenants).some((tenant) => tenant['auth'] !== undefined)
  return jwks !== undefined || ofTenants || [keys, issuers, apiKeys].some(({ length }) => length > 0)
}

/** What is wrong with a secret, in words that follow its name; undefined when nothing is. */
export function weaknessOf(secret: string, strict: boolean): string | undefined {
  const bytes = Buffer.byteLength(secret)
  if (bytes < SECRET_BYTES_MIN) return `must be at least ${SECRET_BYTES_MIN} bytes, received ${bytes}`
  if (!strict) return undefined
  const unknown = secret.replace(KNOWN_WORDS, '').replace(/[^A-Za-z0-9+/]/g, '')
  const weak = new Set(secret).size < DISTINCT_CHARACTERS_MIN || unknown.length < UNKNOWN_CHARACTERS_MIN
  return weak ? 'must not be a well-known or repeated text' : undefined
}

async function keepSecret(cwd: string, dataDir: string): Promise<FoundSecret> {
  const directory = resolve(cwd, dataDir)
  const path = join(directory, 'secret')
  const file = relative(cwd, path)
  const kept = await readKept(path)
  if (kept !== undefined) return { secret: kept, file, made: false }
  return { ...(await makeSecret(directory, path)), file }
}

async function readKept(path: string): Promise<string | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw new Failure(`The secret cannot be read: ${error.message}`)
  })
  const problem = text === undefined ? undefined : weaknessOf(text.trim(), false)
  if (problem) throw new Failure(`The secret in ${path} ${problem}. Delete the file to have a new one made`)
  return text?.trim()
}

/** Two commands may start at once: the secret appears in one step, and who comes second takes it. */
async function makeSecret(directory: string, path: string): Promise<{ secret: string; made: boolean }> {
  const secret = randomBytes(48).toString('base64url')
  const draft = `${path}.${randomUUID()}`
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    await writeFile(join(directory, '.gitignore'), '*\n')
    await writeFile(draft, `${secret}\n`, { mode: 0o600, flag: 'wx' })
    await link(draft, path)
    return { secret, made: true }
  } catch (error) {
    const other = (error as NodeJS.ErrnoException).code === 'EEXIST' ? await readKept(path) : undefined
    if (other !== undefined) return { secret: other, made: false }
    throw new Failure(`The secret cannot be kept in ${directory}: ${describeError(error)}`)
  } finally {
    await rm(draft, { force: true })
  }
}
