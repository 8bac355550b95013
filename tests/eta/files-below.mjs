import { readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Files below a folder, breadth first, at most `max`. */
export function filesBelow(folder, max) {
  const files = []
  const queue = [folder]
  while (queue.length > 0 && files.length < max) {
    const at = queue.shift()
    for (const entry of readdirSync(at, { withFileTypes: true })) {
      if (entry.isDirectory()) queue.push(join(at, entry.name))
      else if (entry.isFile() && files.length < max) files.push(join(at, entry.name))
    }
  }
  return files
}
