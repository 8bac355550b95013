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

/** Who the person of this tab is: the same in every tab, except in one that was opened for a second person. */
export function visitorName(): string {
  const own = recall('name', 'tab')
  if (own !== undefined) return own
  const isGuest = new URLSearchParams(location.search).get('as') === 'guest'
  const known = isGuest ? undefined : recall('name')
  const name = known ?? drawName(recall('name'))
  rename(name)
  return name
}

/** Keeps another name for the person of this tab. */
export function rename(name: string): void {
  const isGuest = new URLSearchParams(location.search).get('as') === 'guest'
  remember('name', name, isGuest ? 'tab' : 'local')
}

function drawName(taken: string | undefined): string {
  const free = NAMES.filter((name) => name !== taken)
  const [drawn = 0] = crypto.getRandomValues(new Uint32Array(1))
  return free[drawn % free.length] ?? 'Ada'
}
