import { join } from 'node:path'

/** Where state lives, as `@holdfast/server` takes it. */
export type EngineChoice = 'memory' | Readonly<Record<string, unknown>>

/** What the configuration says that decides about the engine; undefined where it says nothing. */
export interface EngineSettings {
  /** `memory`, `disk`, an address of Redis, or what the server library takes as it is. */
  readonly engine?: string | Readonly<Record<string, unknown>> | undefined
  readonly environment: string
  readonly dataDir?: string | undefined
}

/** The data directory where none is named. */
export const DATA_DIRECTORY = '.holdfast'

const REDIS_ADDRESS = /^(?:rediss?|rediss?\+sentinel|rediss?\+cluster):\/\/.+$/

/** Whether a text names an engine. */
export function namesEngine(text: string): boolean {
  return text === 'memory' || text === 'disk' || REDIS_ADDRESS.test(text)
}

/** What `namesEngine` expects, in words. */
export const ENGINE_EXPECTED =
  'memory, disk, or an address that begins with redis://, rediss://, redis+sentinel:// or redis+cluster://'

/**
 * The engine of a configuration. Where none is named it is the one that survives a restart: `disk` in the data directory. In development, where
 * nothing has to survive, it is `memory`, unless a data directory was named.
 */
export function chooseEngine({ engine, environment, dataDir }: EngineSettings): EngineChoice {
  if (typeof engine === 'object') return engine
  const name = engine ?? (environment === 'development' && dataDir === undefined ? 'memory' : 'disk')
  if (name === 'memory') return 'memory'
  return name === 'disk' ? { disk: join(dataDir ?? DATA_DIRECTORY, 'engine') } : { redis: name }
}

/** The name of an engine for people: `memory`, `disk`, `redis`. */
export function engineName(choice: EngineChoice): string {
  return typeof choice === 'string' ? choice : (Object.keys(choice)[0] ?? 'memory')
}

/** Whether several processes can share what the engine holds. */
export function isShared(choice: EngineChoice): boolean {
  return typeof choice === 'object' && 'redis' in choice
}
