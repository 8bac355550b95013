"""A client in another language, by the protocol page alone: python3-websockets and JSON.

Each command prints one JSON value:
  talk CHANNEL              subscribe, publish two messages, hear both, answer the messages and the position
  catch-up CHANNEL POSITION subscribe from the position, answer the verdict
  knock WAY                 show the token by hello, header, query or subprotocol; answer goodbye and close
  crowd COUNT               open so many connections at once; answer how each began
The address and the token come from the environment: URL, and TOKEN if there is one.
"""

import asyncio
import json
import os
import sys

import websockets

URL = os.environ["URL"]
TOKEN = os.environ.get("TOKEN")
SUBPROTOCOL = "holdfast.v1+json"
DEADLINE_SECONDS = 15


class Client:
    """One connection: sends commands, and keeps the messages that came until somebody asks for them."""

    def __init__(self, socket):
        self.socket = socket
        self.waiting = []

    async def send(self, **command):
        await self.socket.send(json.dumps(command))

    async def expect(self, holds):
        """The first message that holds; a frame may carry several, one to a line."""
        while True:
            for message in self.waiting:
                if holds(message):
                    self.waiting.remove(message)
                    return message
            frame = await self.socket.recv()
            self.waiting += [json.loads(line) for line in frame.split("\n") if line]

    async def of_type(self, name):
        return await self.expect(lambda message: message["type"] == name)

    async def answer_to(self, number):
        return await self.expect(lambda message: message.get("id") == number and message["type"] != "message")


async def connect():
    """A connection that was welcomed."""
    client = Client(await websockets.connect(URL, subprotocols=[SUBPROTOCOL]))
    await client.send(type="hello", token=TOKEN, client={"name": "python", "version": "1"})
    await client.of_type("welcome")
    return client


async def talk(channel):
    client = await connect()
    await client.send(type="subscribe", id=1, channel=channel)
    subscribed = await client.answer_to(1)
    heard = []
    for number, text in enumerate(["hello", "grüße, 世界 🚀"], start=2):
        await client.send(type="publish", id=number, channel=channel, event="chat", data={"text": text})
        stored = await client.answer_to(number)
        message = await client.of_type("message")
        heard.append({"stored": stored, "message": message})
    await client.socket.close()
    last = heard[-1]["message"]
    position = {"epoch": subscribed["epoch"], "offset": last["offset"], "id": last["id"]}
    return {"subscribed": subscribed, "heard": heard, "position": position, "close": client.socket.close_code}


async def catch_up(channel, position):
    client = await connect()
    await client.send(type="subscribe", id=1, channel=channel, since=json.loads(position))
    subscribed = await client.answer_to(1)
    await client.socket.close()
    return subscribed


async def knock(way):
    options = {"subprotocols": [SUBPROTOCOL]}
    url = URL
    if way == "header":
        options["extra_headers"] = {"Authorization": f"Bearer {TOKEN}"}
    elif way == "query":
        url = f"{URL}?token={TOKEN}"
    elif way == "subprotocol":
        options["subprotocols"] = [SUBPROTOCOL, f"bearer.{TOKEN}"]
    socket = await websockets.connect(url, **options)
    hello = {"type": "hello"}
    if way == "hello" and TOKEN is not None:
        hello["token"] = TOKEN
    await socket.send(json.dumps(hello))
    first = json.loads(await socket.recv())
    if first["type"] == "welcome":
        await socket.close()
    await socket.wait_closed()
    return {"first": first, "code": socket.close_code, "reason": socket.close_reason}


async def crowd(count):
    sockets = []
    outcomes = []
    for _ in range(int(count)):
        socket = await websockets.connect(URL, subprotocols=[SUBPROTOCOL])
        await socket.send(json.dumps({"type": "hello", "token": TOKEN}))
        first = json.loads(await socket.recv())
        if first["type"] != "welcome":
            await socket.wait_closed()
        outcomes.append([first["type"], socket.close_code, socket.close_reason])
        sockets.append(socket)
    await asyncio.gather(*(socket.close() for socket in sockets))
    return outcomes


COMMANDS = {"talk": talk, "catch-up": catch_up, "knock": knock, "crowd": crowd}


async def main(name, *args):
    outcome = await asyncio.wait_for(COMMANDS[name](*args), DEADLINE_SECONDS)
    print(json.dumps(outcome))


asyncio.run(main(*sys.argv[1:]))
