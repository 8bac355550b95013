/** Puts an entry behind all others of a table that holds `max` at most: beyond it the one that was put there longest ago goes. */
export function enter<T>(table: Map<string, T>, key: string, entry: T, max: number): void {
  // Removed first, so that the table stays in order of age.
  table.delete(key)
  table.set(key, entry)
  if (table.size <= max) return
  for (const oldest of table.keys()) return void table.delete(oldest)
}
