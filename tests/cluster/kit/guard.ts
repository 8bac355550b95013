import { type ChildProcess, spawn } from 'node:child_process'
import { Socket } from 'node:net'

/** Sees to it that a process and its folder do not outlive this one, whatever ends this one. */
export interface Guard {
  /** The process has ended, or is ended by somebody else. */
  release(): void
}

/** What the watcher does: reads until the process that set it up is gone, then ends the other one, also one that is stopped. */
export const GUARD_SCRIPT: string = 'read _; kill -9 "$1" 2>/dev/null; [ -n "$2" ] && rm -rf "$2"'

/** Guards the process `pid`, and the folder that goes with it. */
export function guard(pid: number, folder: string = ''): Guard {
  const watcher: ChildProcess = spawn('/bin/sh', ['-c', GUARD_SCRIPT, 'guard', String(pid), folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  watcher.stdin?.on('error', () => undefined)
  // This process does not wait for it.
  watcher.unref()
  if (watcher.stdin instanceof Socket) watcher.stdin.unref()
  return { release: () => void watcher.kill('SIGKILL') }
}
