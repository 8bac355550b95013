/** Host and port as a client on this machine writes them: `127.0.0.1:8000`, `[::1]:8000`. */
export function localAuthority(host: string, port: number): string {
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return `${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
}
