import { readFileSync, readdirSync } from 'node:fs'

/** Kept back for what a node needs beside its clients: links to its engine, files, questions to other servers. */
const SPARE = 64

/** Kept back for those who are told that there is no room: an answer takes a socket too. */
const REFUSING = 32

/** How many sockets a server of this process may hold, those of requests included; Infinity where the system does not say (Linux does). */
export function socketsMax(): number {
  return Math.max(1, descriptorsLeft() - SPARE)
}

/** How many connections fit beside those who are refused. */
export function connectionsMax(): number {
  return Math.max(1, descriptorsLeft() - SPARE - REFUSING)
}

/** How many more files and sockets this process can open. */
function descriptorsLeft(): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8')
    const soft = /^Max open files +(\d+)/m.exec(limits)?.[1]
    return soft === undefined ? Infinity : Number(soft) - readdirSync('/proc/self/fd').length
  } catch {
    return Infinity
  }
}
