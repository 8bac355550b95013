import { settingIsText } from './setting-schema.js'
import type { Problem } from '../problem.js'
import { excerpt, received } from './received.js'
import { visible } from './reports/visible-text.js'
import { meaningOf, nearestSetting } from './setting-names.js'

/** A setting that somebody gave. */
export interface GivenSetting {
  readonly path: string
  readonly value: unknown
  /** As it was written: `CHG_SAME_HOURS`, `FILL_SCHEDULER_LINES`. */
  readonly name: string
}

/** What one source of settings gives, by path. */
export type Layer = ReadonlyMap<string, GivenSetting>

/** A layer, and all that is wrong with its names. Values are looked at when layers have become settings. */
export interface LayerRead {
  readonly layer: Layer
  readonly problems: readonly Problem[]
}

/** For this many unknown names it is worth looking for what was meant. */
const SUGGESTIONS_MAX = 20

/** Reads nested mappings as files and requests have them. */
export function layerOfMapping(value: unknown): LayerRead {
  const reader = new LayerReader()
  if (isMapping(value)) reader.mapping(value, [], '')
  else reader.complain('not_a_mapping', `Settings must be a mapping of names to values, received ${received(value)}.`)
  return reader
}

/** Reads flat pairs: `name` is split into its segments. Values that are texts are JSON, else the text itself. */
export function layerOfPairs(
  pairs: readonly { name: string; segments: readonly string[]; value: unknown }[],
): LayerRead {
  const reader = new LayerReader()
  for (const { name, segments, value } of pairs) {
    reader.member(segments, name, typeof value === 'string' ? jsonElseText(value) : value, value)
  }
  return reader
}

function jsonElseText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

class LayerReader implements LayerRead {
  readonly layer = new Map<string, GivenSetting>()
  readonly problems: Problem[] = []
  #unknown = 0

  mapping(value: object, segments: readonly string[], prefix: string): void {
    for (const [name, member] of Object.entries(value)) {
      this.member([...segments, name], `${prefix}${name}`, member, member)
    }
  }

  /** `raw`: as it was written, for settings that are texts although it could be something else. */
  member(segments: readonly string[], name: string, value: unknown, raw: unknown): void {
    const meaning = meaningOf(segments)
    if (meaning.kind === 'unknown') this.#refuseUnknown(segments, name)
    else if (meaning.kind === 'settings') for (const path of meaning.paths) this.#give(path, name, value, raw)
    else if (isMapping(value)) this.mapping(value, segments, `${name}.`)
    else if (value !== null)
      this.complain('not_a_mapping', `${excerpt(name)} must be a mapping, received ${received(value)}.`, name)
  }

  complain(code: string, message: string, field?: string): void {
    this.problems.push({
      severity: 'error',
      code,
      message,
      ...(field === undefined ? {} : { field: visible(field.slice(0, 200)) }),
    })
  }

  #give(path: string, name: string, value: unknown, raw: unknown): void {
    const before = this.layer.get(path)
    if (before !== undefined) {
      return this.complain('duplicate_setting', `${path} is given twice, as ${before.name} and as ${name}.`, path)
    }
    const isText = typeof raw === 'string' && typeof value !== 'string' && settingIsText(path)
    this.layer.set(path, { path, name, value: isText ? raw : value })
  }

  #refuseUnknown(segments: readonly string[], name: string): void {
    this.#unknown += 1
    const nearest = this.#unknown > SUGGESTIONS_MAX ? undefined : nearestSetting(segments)
    const hint = nearest === undefined ? '' : `; ${nearest} is one`
    this.complain('unknown_setting', `There is no setting ${excerpt(name)}${hint}.`, name)
  }
}

/** Whether it is what files call a mapping, requests an object. */
export function isMapping(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
