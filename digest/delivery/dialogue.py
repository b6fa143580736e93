"""The talk with a mail server once we are signed in (RFC 5321, 4.2): lines out, replies in, also several at once.

aiosmtplib connects, encrypts and signs in; it speaks one command at a time and drops what a server says in one breath.
Commands sent together (RFC 2920) are answered together, so from then on the replies are read here.
"""

import asyncio
from collections import deque
from dataclasses import dataclass

MOST_BYTES = 64_000  # of a reply whose end has not come: RFC 5321, 4.5.3.1.5 allows a line 512


class GoneError(Exception):
    """The conversation cannot go on; the text says why in a few words."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply: `words` is all its lines' text on one line."""

    code: int
    words: str

    def __str__(self) -> str:
        return f"{self.code} {self.words}"


class Dialogue(asyncio.Protocol):
    """Takes a transport over. `await reply()` gives the next reply in order; raises GoneError when none can come."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._bytes = bytearray()
        self._lines: list[str] = []  # of the reply that is coming in
        self._replies = deque[Reply]()
        self._waiter: asyncio.Future[None] | None = None
        self._gone = ""
        transport.set_protocol(self)
        if transport.is_closing():
            self._gone = "the server closed the connection"

    @property
    def quiet(self) -> bool:
        """Whether a new command can be sent: the server is there and has said nothing that nobody asked for."""
        return not (self._gone or self._replies or self._bytes or self._lines)

    @property
    def unsent(self) -> bool:
        """Whether some of what was written has certainly not left this process: it is lost when we close now."""
        return not self._gone and self._transport.get_write_buffer_size() > 0

    def say(self, data: bytes) -> None:
        """Send bytes as they are. Raises GoneError."""
        if self._gone:
            raise GoneError(self._gone)
        self._transport.write(data)

    async def reply(self) -> Reply:
        while not self._replies:
            if self._gone:
                raise GoneError(self._gone)
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self._replies.popleft()

    def close(self) -> None:
        """Close at once: a TLS connection would wait half a minute for the other side's goodbye."""
        self._end("we closed the connection")
        self._transport.abort()

    # --- what asyncio tells us ---

    def data_received(self, data: bytes) -> None:
        self._bytes += data
        while not self._gone and (end := self._bytes.find(b"\n")) >= 0:
            line = bytes(self._bytes[:end]).rstrip(b"\r")
            del self._bytes[: end + 1]
            self._line(line)
        if len(self._bytes) + sum(map(len, self._lines)) > MOST_BYTES:
            self._end("the server's reply has no end")

    def _line(self, line: bytes) -> None:
        code, mark, words = line[:3], line[3:4], line[4:].decode("utf-8", "replace").strip()
        if len(code) != 3 or not code.isdigit() or mark not in {b"", b" ", b"-"}:
            self._end("the server's answer was no SMTP reply")
            return
        self._lines.append(words)
        if mark != b"-":
            self._replies.append(Reply(int(code), " ".join(filter(None, self._lines))))
            self._lines = []
            self._wake()

    def eof_received(self) -> bool:
        self._end("the server ended the connection")
        return False  # and so closes the transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._end("the connection was lost")

    def _end(self, why: str) -> None:
        self._gone = self._gone or why
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
