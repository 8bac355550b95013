import { createHash } from 'node:crypto'
import type { Random } from '../random.js'
import { isSame } from '../same-bytes.js'
import { compileChannelPattern } from './channel-pattern.js'
import { areVerbs } from './verbs.js'

/** A key that was just made. `key` is shown once and kept nowhere; `hash` is what a node compares it with. */
export interface NewApiKey {
  /** Public: it names the key. */
  readonly id: string
  /** `hf_<id>_<secret>`. */
  readonly key: string
  /** `sha256:<hex>` of the secret. */
  readonly hash: string
}

/** A key that stands in the options of a node. */
export interface ApiKeyOptions {
  /** 8 to 64 letters and digits, those between the underscores of the key. */
  readonly id: string
  /** `sha256:<hex>` of the secret, as `createApiKey` answers it. */
  readonly hash: string
  readonly tenant: string
  /** Verbs by channel or pattern: `{"room:*": ["publish"]}`. */
  readonly grants: Readonly<Record<string, readonly string[]>>
  /** What else it may: names such as `publish`. Default: nothing. */
  readonly permissions?: readonly string[]
}

/** What every key begins with, and no token does. */
const PREFIX = 'hf_'

/** 64 bits name, 256 bits prove. */
const ID_BYTES = 8
const SECRET_BYTES = 32

const KEY = /^hf_([A-Za-z0-9]{8,64})_([A-Za-z0-9_-]{43,128})$/
const HASH = /^sha256:[0-9a-f]{64}$/
const ID = /^[A-Za-z0-9]{8,64}$/
const PERMISSION = /^[a-z][a-z0-9.:-]{0,63}$/

/** Channels and patterns that one key names at most, and permissions. */
const GRANTS_MAX = 256
const PERMISSIONS_MAX = 64

/** Nothing has this digest: compared where there is nothing to compare, so that an id that does not exist takes as long as a wrong secret. */
const NO_HASH = `sha256:${'0'.repeat(64)}`

/** Makes a key; under `id` a new secret for one that exists. */
export function makeApiKey(random: Pick<Random, 'id'>, id: string = newId(random)): NewApiKey {
  const secret = random.id(SECRET_BYTES)
  return { id, key: `${PREFIX}${id}_${secret}`, hash: hashOf(secret) }
}

function newId(random: Pick<Random, 'id'>): string {
  return Buffer.from(random.id(ID_BYTES), 'base64url').toString('hex')
}

/** Whether a credential is meant as a key: then nothing else is tried with it. */
export function looksLikeApiKey(credential: string): boolean {
  return credential.startsWith(PREFIX)
}

/** The parts of a key; undefined for what has not its form. */
export function parseApiKey(credential: string): { readonly id: string; readonly secret: string } | undefined {
  const [, id, secret] = KEY.exec(credential) ?? []
  return id === undefined || secret === undefined ? undefined : { id, secret }
}

/** Which of the hashes is that of the secret, in a time that tells nothing; -1 for none. */
export function findSecret(hashes: readonly string[], secret: string): number {
  const given = digest(secret)
  let found = -1
  for (const [at, hash] of (hashes.length > 0 ? hashes : [NO_HASH]).entries()) {
    if (isSame(Buffer.from(hash.slice('sha256:'.length), 'hex'), given)) found = at
  }
  return found
}

/** Whether this may name a key. */
export function isKeyId(value: unknown): value is string {
  return typeof value === 'string' && ID.test(value)
}

/** Whether this is a hash as `createApiKey` answers it. */
export function isKeyHash(value: unknown): value is string {
  return typeof value === 'string' && HASH.test(value)
}

/** What is wrong with grants, or undefined: the name of a channel or a pattern each, with verbs. */
export function findWrongGrant(value: unknown): string | undefined {
  const isTable = typeof value === 'object' && value !== null && !Array.isArray(value)
  if (!isTable || Object.keys(value).length > GRANTS_MAX)
    return `grants must be lists of verbs by channel or pattern, at most ${GRANTS_MAX}`
  const wrong = Object.entries(value).find(([source, verbs]) => !isPattern(source) || !areVerbs(verbs))
  return wrong && `grants[${JSON.stringify(wrong[0])}] must be a channel or pattern with a list of verbs`
}

/** Whether this is a list of names of permissions. */
export function arePermissions(value: unknown): value is readonly string[] {
  return (
    Array.isArray(value) &&
    value.length <= PERMISSIONS_MAX &&
    value.every((name) => typeof name === 'string' && PERMISSION.test(name))
  )
}

function isPattern(source: string): boolean {
  try {
    return compileChannelPattern(source).source === source
  } catch {
    return false
  }
}

/** A fast hash: whoever reads it would have to try 2^256 secrets, however fast; passwords are another matter. */
function hashOf(secret: string): string {
  return `sha256:${digest(secret).toString('hex')}`
}

function digest(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}
