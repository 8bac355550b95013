import { type ChannelPattern, compileChannelPattern } from '@holdfast/server'
import picomatch from 'picomatch'
import type { Contest, Contestant } from './decisions.js'

/** As an application would write them, without placeholders: a glob or an expression would have to be compiled anew for each user. */
const PATTERNS: readonly string[] = [
  'room:*',
  'room:*:comments',
  'room:*:typing:*',
  'doc:**',
  'feed:public',
  'feed:team:*',
  'feed:*:new',
  'game:*:lobby',
  'game:*:table:*',
  'user:*',
  'operation:*',
  'audit:**',
]

const SHAPES: readonly ((n: number) => string)[] = [
  (n) => `room:${n}`,
  (n) => `room:${n}:comments`,
  (n) => `doc:${n}:chapter:${n % 7}`,
  () => 'feed:public',
  (n) => `feed:${n}:new`,
  (n) => `game:${n}:table:${n % 5}`,
  (n) => `user:u-${n}`,
  (n) => `operation:import-${n}`,
  (n) => `room:${n}:files`,
  (n) => `unknown:${n}`,
]

const CHANNELS: readonly string[] = Array.from({ length: 1_000 }, (_, n) => SHAPES[n % SHAPES.length]?.(n) ?? '')

/** Which rule is the first to name a channel? Two names in ten are named by none. */
export function matcherContest(): Contest {
  return {
    title: `The first of ${PATTERNS.length} channel rules that names a channel`,
    contestants: [ours(), expressions(), globs()],
  }
}

/** As a node does: only the rules of the channel's namespace are looked at. */
function ours(): Contestant {
  const byNamespace = new Map<string, { readonly pattern: ChannelPattern; readonly place: number }[]>()
  for (const [place, source] of PATTERNS.entries()) {
    const pattern = compileChannelPattern(source)
    const others = byNamespace.get(pattern.namespace) ?? []
    byNamespace.set(pattern.namespace, [...others, { pattern, place }])
  }
  return contestant('Holdfast', CHANNELS, (channel) => {
    const rules = byNamespace.get(channel.slice(0, channel.indexOf(':')))
    return rules?.find(({ pattern }) => pattern.matches(channel, undefined))?.place ?? -1
  })
}

function expressions(): Contestant {
  const list = PATTERNS.map((pattern) => {
    const text = pattern.replaceAll('**', '\0').replaceAll('*', '[^:]+').replace('\0', '[^:]+(?::[^:]+)*')
    return new RegExp(`^${text}$`)
  })
  return contestant('regular expressions', CHANNELS, (channel) =>
    list.findIndex((expression) => expression.test(channel)),
  )
}

/** Globs know slashes: the names are given to them so. */
function globs(): Contestant {
  const list = PATTERNS.map((pattern) => picomatch(pattern.replaceAll(':', '/')))
  const names = CHANNELS.map((channel) => channel.replaceAll(':', '/'))
  return contestant('picomatch', names, (name) => list.findIndex((matches) => matches(name)))
}

function contestant(name: string, names: readonly string[], placeOf: (name: string) => number): Contestant {
  return {
    name,
    run(count) {
      let sum = 0
      for (let at = 0; at < count; at += 1) sum += placeOf(names[at % names.length] ?? '')
      return sum
    },
  }
}
