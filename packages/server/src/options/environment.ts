import * as z from 'zod'

/**
 * Where a node runs: `development` is convenient, `staging` is strict, `production` is stricter. Any other name is as strict as `production`, so that a name that was
 * misspelt opens nothing. (`string & {}` keeps the three names in what an editor offers.)
 */
export type Environment = 'development' | 'staging' | 'production' | (string & {})

/** The schema of `environment`. */
export const environmentSchema: z.ZodType<Environment | undefined> = z
  .custom<Environment>(
    (value) => typeof value === 'string' && /^[A-Za-z][A-Za-z0-9_-]{0,31}$/.test(value),
    'development, staging, production, or a name of 1 to 32 of A-Z a-z 0-9 _ - that begins with a letter',
  )
  .optional()

/** What holds in an environment. */
export function strictnessOf(environment: Environment): 'development' | 'staging' | 'production' {
  if (environment === 'development') return 'development'
  return environment === 'staging' ? 'staging' : 'production'
}
