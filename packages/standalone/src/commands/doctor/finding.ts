/** What one look found. */
export interface Finding {
  /** What was looked at, in a word or two. */
  readonly check: string
  readonly state: 'ok' | 'warn' | 'fail'
  readonly message: string
  /** What to do about it; absent where nothing has to be done. */
  readonly remedy?: string
}

/** All is well. */
export function ok(check: string, message: string): Finding {
  return { check, state: 'ok', message }
}

/** It works, and could be better. */
export function warn(check: string, message: string, remedy: string): Finding {
  return { check, state: 'warn', message, remedy }
}

/** It does not work. */
export function fail(check: string, message: string, remedy: string): Finding {
  return { check, state: 'fail', message, remedy }
}

/** How far a clock is off, told as a finding. `skewMs` is what the other clock is ahead. */
export function clockFinding(check: string, whose: string, skewMs: number): Finding {
  const seconds = Math.abs(skewMs) / 1000
  const message = `${whose} is ${seconds.toFixed(1)} s ${skewMs < 0 ? 'behind' : 'ahead of'} the one of this machine`
  if (seconds <= 2) return ok(check, `${whose} agrees with the one of this machine`)
  const remedy = 'Let both be set by NTP (timedatectl set-ntp true): tokens and lifetimes are judged by them'
  return seconds <= 30 ? warn(check, message, remedy) : fail(check, message, remedy)
}
