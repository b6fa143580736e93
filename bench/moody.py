"""An SMTP server that does, at random, whatever a mail server has ever done; and knows which mails it took."""

import asyncio
import random
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

SILENT = 60.0  # seconds: longer than anybody waits in a bench

#: What it may do at each place, and how often against each other; "" is to be polite. A number is a reply.
MOODS = {
    "GREETING": {"": 40, "drop": 1, "silence": 1, "554 no": 1, "* OK IMAP4rev1 ready": 1, "\x16\x03\x01\x02": 1},
    "EHLO": {"": 40, "drop": 1, "421 too many connections": 1, "502 what is EHLO?": 1, "half": 1},
    "STARTTLS": {
        "": 20,
        "drop": 1,
        "454 TLS not available": 1,
        "220 ready, but no TLS follows\r\n250 no": 1,
        "broken": 1,
    },
    "MAIL": {"": 60, "drop": 1, "421 closing": 1, "451 try again": 1, "half": 1, "slow": 1},
    "RCPT": {
        "": 60,
        "drop": 1,
        "421 closing": 1,
        "451 greylisted": 4,
        "550 5.1.1 no such": 2,
        "silence": 1,
    },
    "DATA": {
        "": 60,
        "drop": 1,
        "421 closing": 1,
        "451 no": 1,
        "554 no": 1,
        "silence": 1,
        "250 what?": 1,
        "half": 1,
    },
    "BODY": {"": 60, "drop": 1, "deaf": 1},
    # "keep …" has taken the mail before it misbehaves, the others have not.
    "END": {
        **{"": 60, "slow": 3, "drop": 2, "silence": 1, "half": 1, "421 closing": 2, "451 full": 2, "550 spam": 2},
        **{"keep drop": 3, "keep silence": 2, "keep half": 1, "keep torn": 1, "keep garbage": 1, "keep slow": 3},
        "keep 250 drop": 3,
    },
    "RSET": {"": 20, "drop": 1, "silence": 1},
    "QUIT": {"": 5, "drop": 1, "silence": 1},
}
POLITE = {"GREETING": "220 moody", "STARTTLS": "220 go", "DATA": "354 go on", "QUIT": "221 bye", "END": "250 taken"}


class Moody:
    """`taken`: how often each recipient's list mail was taken, whether or not anybody was told. `wild` 0 is polite."""

    def __init__(self, rng: random.Random, slow: float, tls: ssl.SSLContext | None, wild: float = 1.0) -> None:
        self.rng, self.slow, self.tls, self.wild = rng, slow, tls, wild
        self.taken = Counter[str]()
        self.moods = Counter[str]()
        self.ghosts = 0  # mails handed over that no recipient had been accepted for
        self.connections = 0
        self.port = 0

    def _mood(self, place: str) -> str:
        moods = MOODS.get(place, {"": 1})
        if self.rng.random() > self.wild:
            return ""
        [mood] = self.rng.choices(list(moods), list(moods.values()))
        if mood:
            self.moods[f"{place} {mood}"] += 1
        return mood

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await self._serve(reader, writer)
        except (OSError, EOFError, asyncio.LimitOverrunError, ValueError):
            pass  # the client was killed, or went: that is what is tried out
        finally:
            if writer.transport is not None:
                writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sender = recipient = ""  # as accepted in this transaction
        if not await self._say("GREETING", self._mood("GREETING"), writer):
            return
        while line := await reader.readline():
            verb = line.split()[0].decode("ascii", "replace").upper() if line.strip() else ""
            mood = self._mood(verb)
            if verb == "STARTTLS" and not mood.startswith(("454", "drop")) and self.tls is not None:
                if mood:
                    writer.write(b"220 go\r\n" + (b"no TLS at all\r\n" if mood == "broken" else mood.encode()))
                    await writer.drain()
                    return
                writer.write(b"220 go\r\n")
                await writer.drain()
                await writer.start_tls(self.tls)
                continue
            address = line.decode().partition("<")[2].partition(">")[0]
            # What was refused before cannot be gone on with; RFC 2920, 3.1: some say 354 to DATA all the same.
            if not mood and ((verb == "RCPT" and not sender) or (verb == "DATA" and not recipient)):
                mood = self.rng.choice(["503 what for?", "554 5.5.1 none", "354"]) if verb == "DATA" else "503 no MAIL"
                if mood == "354":
                    writer.write(b"354 go on\r\n")
                    self.ghosts += await reader.readuntil(b".\r\n") != b".\r\n"
                    mood = "554 5.5.1 no valid recipients"
            if not await self._say(verb, mood, writer):
                return
            good = mood in {"", "slow"}
            if verb == "MAIL":
                sender, recipient = (address if good else ""), ""
            elif verb == "RCPT":
                recipient = address if good else recipient
            elif verb in {"RSET", "EHLO", "HELO"}:
                sender = recipient = ""
            elif verb == "QUIT" and good:
                return
            elif verb == "DATA" and good:
                if not await self._body(recipient, reader, writer):
                    return
                sender = recipient = ""

    async def _body(self, recipient: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        mood = self._mood("BODY")
        if mood == "drop":
            await reader.read(200)
            return False
        if mood == "deaf":
            await asyncio.sleep(SILENT)
            return False
        wire = await reader.readuntil(b"\r\n.\r\n")
        mood = self._mood("END")
        if not mood or mood == "slow" or mood.startswith("keep"):
            if mood == "slow":
                await asyncio.sleep(self.slow)
            self.taken[recipient] += b"\r\nList-Id:" in wire
        return await self._say("END", mood.removeprefix("keep "), writer)

    async def _say(self, place: str, mood: str, writer: asyncio.StreamWriter) -> bool:
        """Answer; whether the conversation goes on."""
        polite = POLITE.get(place, "250 ok").encode() + b"\r\n"
        if place == "EHLO":
            polite = b"250-moody\r\n250-SIZE 10000000\r\n250-PIPELINING\r\n"
            polite += b"250-STARTTLS\r\n" if self.tls and not writer.get_extra_info("sslcontext") else b""
            polite += b"250 8BITMIME\r\n"
        match mood:
            case "drop":
                return False
            case "silence":
                await asyncio.sleep(SILENT)
                return False
            case "half":  # says nothing more, and goes on listening
                if writer.can_write_eof():
                    writer.write_eof()
                await asyncio.sleep(SILENT)
                return False
            case "torn":
                writer.write(polite[:2])
                await writer.drain()
                return False
            case "garbage":
                writer.write(b"\xff\xfe what is this\r\n")
            case "slow":
                await asyncio.sleep(self.slow)
                writer.write(polite)
            case "250 drop":
                writer.write(polite)
                await writer.drain()
                writer.close()
                return False
            case "":
                writer.write(polite)
            case reply:
                writer.write(reply.encode("latin-1") + b"\r\n")
                await writer.drain()
                return not reply.startswith(("421", "554 no"))
        await writer.drain()
        return True


@asynccontextmanager
async def moody(server: Moody) -> AsyncIterator[Moody]:
    """The server, listening on a free loopback port."""
    handlers = set[asyncio.Task[None]]()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handler = asyncio.ensure_future(server(reader, writer))
        handlers.add(handler)
        handler.add_done_callback(handlers.discard)

    listening = await asyncio.start_server(accept, "127.0.0.1", 0, limit=2**20)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for handler in list(handlers):
            handler.cancel()
        await asyncio.gather(*handlers, return_exceptions=True)
