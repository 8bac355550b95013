import type { Settings } from '../../planning/settings.js'

/** Each setting that has a value, by its path: `strategies.exact.maxLots`, 30. Lists are one text; what is not set is left out. */
export function settingRows(settings: Settings): [string, string | number | boolean][] {
  return rowsOf('', settings)
}

function rowsOf(path: string, value: unknown): [string, string | number | boolean][] {
  if (value === undefined || value === null) return []
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return [[path, value]]
  if (Array.isArray(value)) return [[path, value.map(itemText).join(', ')]]
  return Object.entries(value).flatMap(([name, member]) => rowsOf(path === '' ? name : `${path}.${name}`, member))
}

function itemText(item: unknown): string {
  return typeof item === 'string' ? item : JSON.stringify(item)
}
