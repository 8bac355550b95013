import { type AddressInfo, type Socket, connect, createServer } from 'node:net'

/** A TCP proxy whose target can change, and whose line can be cut: one address for several nodes. */
export interface SwitchableProxy {
  readonly url: string
  /** Where new connections go; `undefined` refuses them. */
  target: number | undefined
  /** Ends every connection without a close frame. */
  cut(): void
  close(): Promise<void>
}

/** Starts a proxy to a port of this machine. */
export async function startProxy(target: number): Promise<SwitchableProxy> {
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    near.on('error', () => {})
    if (proxy.target === undefined) return void near.destroy()
    const far = connect(proxy.target, '127.0.0.1')
    far.on('error', () => near.destroy())
    near.on('close', () => (sockets.delete(near), far.destroy()))
    far.on('close', () => near.destroy())
    sockets.add(near)
    near.pipe(far).pipe(near)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const cut = (): void => sockets.forEach((socket) => socket.destroy())
  const proxy: SwitchableProxy = {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`,
    target,
    cut,
    close() {
      cut()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
  return proxy
}
