import { recall, remember } from './memory.js'

const NAMES = [
  'Ada',
  'Blaise',
  'Emmy',
  'Grace',
  'Ines',
  'Katherine',
  'Linus',
  'Mary',
  'Otto',
  'Radia',
  'Sofia',
  'Tycho',
]

/**
 * Where what belongs to the person of this tab is kept: in the browser, or in the tab that was opened for somebody
 * else.
 */
export function visitorStore(): 'local' | 'tab' {
  return new URLSearchParams(location.search).get('as') === 'guest' ? 'tab' : 'local'
}

/** Who the person of this tab is: the same in every tab, except in one that was opened for somebody else. */
export function visitorName(): string {
  const known = recall('name', visitorStore())
  if (known !== undefined) return known
  const name = drawName(recall('name'))
  rename(name)
  return name
}

/** Keeps another name for the person of this tab. */
export function rename(name: string): void {
  remember('name', name, visitorStore())
}

function drawName(taken: string | undefined): string {
  const free = NAMES.filter((name) => name !== taken)
  const [drawn = 0] = crypto.getRandomValues(new Uint32Array(1))
  return free[drawn % free.length] ?? 'Ada'
}
