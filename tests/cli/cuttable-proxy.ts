import { type AddressInfo, type Socket, connect, createServer } from 'node:net'

/** A TCP proxy on a port of its own whose line can be cut. */
export interface CuttableProxy {
  readonly port: number
  /** Ends every connection, and refuses new ones until `mend`. */
  cut(): void
  mend(): void
  close(): Promise<void>
}

/** Starts a proxy to a port of this machine. */
export async function startProxy(target: number): Promise<CuttableProxy> {
  const sockets = new Set<Socket>()
  let isCut = false
  const server = createServer((near) => {
    if (isCut) return void near.destroy()
    const far = connect(target, '127.0.0.1')
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
      socket.pipe(other)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const drop = (): void => sockets.forEach((socket) => socket.destroy())
  return {
    port: (server.address() as AddressInfo).port,
    cut() {
      isCut = true
      drop()
    },
    mend: () => void (isCut = false),
    close() {
      drop()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
