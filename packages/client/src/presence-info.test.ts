import { describe, expect, it } from 'vitest'
import { Stage } from './testing/scripted-server.js'
import { settle } from './testing/simulated-clock.js'

describe('what a member tells of itself', () => {
  it('is told again only when it is something else', async () => {
    const stage = new Stage()
    const end = await stage.open()
    const room = stage.client.channel('room:1')
    room.on('chat', () => {})
    await settle()
    for (const status of ['here', 'here', 'away']) {
      room.presence.tell({ status })
      await settle()
    }
    expect(end.all('subscribe').map(({ presence }) => presence)).toEqual([
      undefined,
      { info: { status: 'here' } },
      { info: { status: 'away' } },
    ])
  })

  it('is what it was when it was told', async () => {
    const stage = new Stage()
    const info = { since: new Date(0), status: 'here' }
    stage.client.channel('room:1').presence.tell(info)
    void stage.client
      .channel('room:1')
      .subscribe()
      .catch(() => {})
    info.status = 'away'
    const end = await stage.open()
    await settle()
    const presence = { info: { since: '1970-01-01T00:00:00.000Z', status: 'here' } }
    expect(end.all('subscribe')).toMatchObject([{ presence }])
  })

  it('is refused where it cannot travel', async () => {
    const stage = new Stage()
    await stage.open()
    const room = stage.client.channel('room:1')
    const circle: { self?: unknown } = {}
    circle.self = circle
    expect(() => room.presence.tell(circle)).toThrow('data.info.self must not contain itself')
    await expect(room.subscribe({ presence: { info: circle } })).rejects.toMatchObject({ code: 'unserialisable' })
    expect(room.status).toBe('unsubscribed')
  })

  it('ends the subscription at the server, too, when that refuses it', async () => {
    const stage = new Stage()
    const end = await stage.open()
    const room = stage.client.channel('room:1')
    await room.subscribe()
    end.onCommand = ({ type, id }) =>
      end.send(
        type === 'subscribe'
          ? { type: 'error', id, code: 'permission_denied', message: 'no presence', retryable: false }
          : { type: 'ok', id },
      )
    room.presence.tell('here')
    await settle()
    expect(room.status).toBe('unsubscribed')
    expect(end.all('unsubscribe')).toMatchObject([{ channel: 'room:1' }])
  })
})
