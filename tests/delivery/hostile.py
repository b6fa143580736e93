"""An SMTP server that does what a test tells it to, at the moment the test names."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from digest.config import Smtp

DROP, SILENCE = "drop", "silence"
POLITE = {
    "GREETING": "220 ready",
    "EHLO": "250-hostile\r\n250-SIZE 1000000\r\n250 8BITMIME",
    "MAIL": "250 ok",
    "RCPT": "250 ok",
    "DATA": "354 go on",
    "END": "250 taken",
    "RSET": "250 ok",
    "QUIT": "221 bye",
}


class Hostile:
    """Answers each verb as `does` says, else politely. `mails` holds what it took, as bytes without the stuffed dots.

    "END" is the end of the data; "BODY" is while the data is being sent: DROP hangs up, SILENCE stops reading.
    """

    def __init__(self, does: Mapping[str, str]) -> None:
        self.does = POLITE | dict(does)
        self.mails: list[bytes] = []
        self.said: list[str] = []
        self.connections = 0
        self.port = 0
        self._writers: list[asyncio.StreamWriter] = []

    def settings(self, timeout: float = 10) -> Smtp:
        return Smtp(host="127.0.0.1", port=self.port, security="none", timeout=timeout)

    async def hang_up(self) -> None:
        """Close every connection, as a server does with one that rests."""
        for writer in self._writers:
            writer.close()
            await writer.wait_closed()

    async def say(self, words: str) -> None:
        """Say something on every connection that nobody asked for, and give it time to arrive."""
        for writer in self._writers:
            writer.write(words.encode() + b"\r\n")
            await writer.drain()
        await asyncio.sleep(0.05)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        try:
            if not await self._answer("GREETING", writer):
                return
            while line := await reader.readline():
                verb = line.split()[0].decode().upper() if line.strip() else ""
                self.said.append(line.decode().strip())
                if not await self._answer(verb, writer):
                    return
                if verb == "DATA" and self.does["DATA"].startswith("354"):
                    if self.does.get("BODY") == SILENCE:
                        await asyncio.Event().wait()
                    if self.does.get("BODY") == DROP:
                        await reader.read(10)
                        return
                    wire = await reader.readuntil(b"\r\n.\r\n")
                    lines = wire.removesuffix(b".\r\n").split(b"\r\n")
                    self.mails.append(b"\r\n".join(part.removeprefix(b".") for part in lines))
                    if not await self._answer("END", writer):
                        return
        except (ConnectionError, asyncio.IncompleteReadError):
            return  # the client left; that is its right
        finally:
            writer.close()

    async def _answer(self, verb: str, writer: asyncio.StreamWriter) -> bool:
        """Whether to go on."""
        does = self.does.get(verb, "500 what?")
        if does == SILENCE:
            await asyncio.Event().wait()
        if does == DROP:
            return False
        writer.write(does.encode() + b"\r\n")
        await writer.drain()
        return True


@asynccontextmanager
async def hostile(**does: str) -> AsyncIterator[Hostile]:
    """A running server on a free port; `does` maps a verb to its reply, DROP or SILENCE."""
    async with hostile_at(0, **does) as server:
        yield server


@asynccontextmanager
async def hostile_at(port: int, **does: str) -> AsyncIterator[Hostile]:
    """The same on a port of one's own choice."""
    server = Hostile(does)
    handlers: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handlers.add(asyncio.ensure_future(server(reader, writer)))

    listening = await asyncio.start_server(accept, "127.0.0.1", port)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for handler in handlers:
            handler.cancel()
        await asyncio.gather(*handlers, return_exceptions=True)
