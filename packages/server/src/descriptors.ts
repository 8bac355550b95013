import { readFileSync, readdirSync } from 'node:fs'

/** How many more files and sockets this process can open; undefined where the system does not say (it does on Linux). */
export function descriptorsLeft(): number | undefined {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8')
    const soft = /^Max open files +(\d+)/m.exec(limits)?.[1]
    return soft === undefined ? undefined : Number(soft) - readdirSync('/proc/self/fd').length
  } catch {
    return undefined
  }
}
