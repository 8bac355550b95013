import { readFile } from 'node:fs/promises'
import { freemem, totalmem } from 'node:os'
import { formatBytes } from '../../quantity.js'
import { type Finding, fail, ok, warn } from './finding.js'

const NODE_MIN = [20, 19] as const
const DESCRIPTORS_MIN = 4_096
const MEMORY_BYTES_MIN = 268_435_456

/** What the machine gives to a server that is started from here. */
export async function machineFindings(): Promise<readonly Finding[]> {
  return [nodeFinding(process.versions.node), await descriptorFinding(), memoryFinding()]
}

/** Whether this Node is new enough. */
export function nodeFinding(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const isNew = major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])
  if (isNew) return ok('Node', version)
  return fail('Node', `${version} is too old`, `Install Node ${NODE_MIN.join('.')} or newer`)
}

async function descriptorFinding(): Promise<Finding> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '')
  const soft = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Infinity)
  const check = 'file descriptors'
  if (soft === Infinity) return ok(check, 'no limit known')
  if (soft >= DESCRIPTORS_MIN) return ok(check, `${soft}, one for each connection`)
  return warn(
    check,
    `${soft}: no more connections than that`,
    'Raise them with ulimit -n 65536, or LimitNOFILE=65536 of systemd',
  )
}

function memoryFinding(): Finding {
  const limit = process.constrainedMemory()
  const whole = limit > 0 && limit < totalmem() ? limit : totalmem()
  const message = `${formatBytes(whole)}, ${formatBytes(freemem())} of the machine free`
  if (whole >= MEMORY_BYTES_MIN && freemem() >= MEMORY_BYTES_MIN / 2) return ok('memory', message)
  return warn(
    'memory',
    message,
    `Give it ${formatBytes(MEMORY_BYTES_MIN)} or more; what it does when memory is short is overload of the configuration`,
  )
}
