import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import type { Channel } from './channel.js'
import { Stage, message, verdict, welcome } from './testing/scripted-server.js'
import { settle } from './testing/simulated-clock.js'

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

/** Lets go of what nothing refers to: a reference that was followed in this turn holds until its end. */
async function collect(): Promise<void> {
  await settle()
  await new Promise((resolve) => setImmediate(resolve))
  gc()
}

/** Opens names, uses each and drops it; enough of them for what is dropped to be looked for. */
async function visit(stage: Stage, prefix: string, count: number, use: (room: Channel) => void): Promise<void> {
  for (let index = 0; index < count; index += 1) use(stage.client.channel(`${prefix}:${index}`))
  await collect()
  for (const end of stage.network.ends) end.arrived.length = 0
}

/** As many names as it takes for what nobody uses to be let go of, and to be forgotten. */
async function forget(stage: Stage): Promise<void> {
  for (let round = 0; round < 2; round += 1) await visit(stage, `round${round}`, 200, () => {})
}

const noCursor = { load: () => undefined, save: () => {} }

const uses: ((room: Channel) => void)[] = [
  () => {},
  (room) => void room.publish('chat', 1),
  (room) => room.on('chat', () => {})(),
  (room) => [room.presence.on('change', () => {}), room.on('*', () => {})].forEach((off) => off()),
  (room) => {
    void room.subscribe({ presence: true }).catch(() => {})
    void room.unsubscribe()
  },
]

it('keeps little of 20,000 names that were used and dropped', async () => {
  const stage = new Stage({ cursorStore: noCursor })
  await stage.open()
  const seen: WeakRef<Channel>[] = []
  let before = 0
  for (let round = 0; round < 20; round += 1) {
    await visit(stage, `room${round}`, 1000, (room) => {
      uses[round % uses.length]!(room)
      seen.push(new WeakRef(room))
    })
    if (round === 4) before = process.memoryUsage().heapUsed
  }
  expect(seen.filter((room) => room.deref()).length).toBeLessThan(5000)
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(8 * 1024 * 1024)
})

it('keeps little of 4,000 operations that were watched and left', async () => {
  const stage = new Stage()
  await stage.open()
  const seen: WeakRef<object>[] = []
  for (let index = 0; index < 4000; index += 1) {
    const job = stage.client.operation(`import-${index}`)
    job.on('progress', () => {})()
    seen.push(new WeakRef(job))
    if (index % 800 === 799) await collect()
    stage.end.arrived.length = 0
  }
  await collect()
  expect(seen.filter((job) => job.deref()).length).toBeLessThan(2000)
})

it('gives the same channel to whoever holds it, its presence or its undo', async () => {
  const stage = new Stage()
  await stage.open()
  const room = stage.client.channel('room:1')
  const { presence } = stage.client.channel('room:2')
  const off = stage.client.channel('room:3').on('chat', () => {})
  off()
  await forget(stage)
  expect(stage.client.channel('room:1')).toBe(room)
  expect(stage.client.channel('room:2').presence).toBe(presence)
})

it('hears for listeners of whose channel nothing is held', async () => {
  const stage = new Stage()
  const heard: unknown[] = []
  stage.client.channel('room:1').on('chat', ({ data }) => heard.push(data))
  const end = await stage.open()
  await forget(stage)
  end.send(message(1))
  stage.client.channel('room:1').on('chat', ({ data }) => heard.push(data))
  end.send(message(2))
  expect(heard).toEqual([1, 2, 2])
})

it('remembers what was told of the user, and the channel token, of channels of which nothing is held', async () => {
  const stage = new Stage()
  stage.client.channel('room:1', { token: 'secret' }).presence.tell({ status: 'away' })
  const end = await stage.open()
  await forget(stage)
  stage.client.channel('room:1').on('chat', () => {})
  await settle()
  expect(end.all('subscribe')).toMatchObject([{ presence: { info: { status: 'away' } }, token: 'secret' }])
})

it('goes on after its position when nothing was held of it meanwhile, and leaves what a session has of it', async () => {
  const stage = new Stage()
  stage.client.channel('room:1').on('chat', () => {})()
  const off = stage.client.channel('room:2').on('chat', () => {})
  const end = await stage.open()
  end.send(message(3, 'm3', 'room:2'))
  stage.network.onConnect = (next) => {
    next.onCommand = ({ type, id, channel }) => {
      if (type === 'hello') next.send(welcome({ resumed: true, channels: ['room:2', 'room:9'] }))
      if (type === 'subscribe') next.send(verdict(3, { id: id!, channel: String(channel), recovered: 'full' }))
    }
    next.accept()
  }
  end.close(1006)
  off()
  await forget(stage)
  await stage.clock.pass(1000)
  expect(stage.end.all('unsubscribe').map(({ channel }) => channel)).toEqual(['room:2', 'room:9'])
  stage.client.channel('room:2').on('chat', () => {})
  await settle()
  expect(stage.end.all('subscribe')).toMatchObject([{ channel: 'room:2', since: { epoch: 'e1', offset: 3 } }])
})
