"""An IMAP server of a few commands, for what a well-behaved one cannot be brought to do."""

import re
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from digest.config import Imap

HANG_UP = b"hang up"


@dataclass
class Scripted:
    """A mailbox of `mails` by UID. `bodies` and `idle` change how the server answers.

    bodies: what to answer to a FETCH of one mail's body instead (a tagged "NO …", or HANG_UP), by UID.
    idle: what the server writes when a client begins to IDLE, in one packet.
    """

    mails: dict[int, bytes] = field(default_factory=dict)
    bodies: dict[int, bytes] = field(default_factory=dict)
    idle: Callable[[], bytes] = lambda: b"+ idling\r\n"
    said: list[str] = field(default_factory=list)
    uidvalidity: int = 7
    port: int = 0

    def settings(self, **changed: object) -> Imap:
        return Imap.model_validate(
            {"host": "127.0.0.1", "port": self.port, "security": "none", "username": "digest", "password": "secret"}
            | {"timeout": 10}
            | changed
        )

    def times_asked(self, words: str) -> int:
        return sum(words in line for line in self.said)

    def answer(self, tag: bytes, line: str) -> bytes:
        """Everything the server says to one command."""
        self.said.append(line)
        done = tag + b" OK done\r\n"
        if line.startswith("CAPABILITY"):
            return b"* CAPABILITY IMAP4rev1 IDLE AUTH=XOAUTH2\r\n" + done
        if line.startswith(("EXAMINE", "SELECT")):
            uidnext = max(self.mails, default=0) + 1
            return (
                b"* %d EXISTS\r\n* OK [UIDVALIDITY %d] ok\r\n* OK [UIDNEXT %d] ok\r\n"
                % (len(self.mails), self.uidvalidity, uidnext)
            ) + done
        if found := re.match(r"UID SEARCH UID (\d+):(\d+)", line):
            inside = [str(uid) for uid in sorted(self.mails) if int(found[1]) <= uid <= int(found[2])]
            return b"* SEARCH " + " ".join(inside).encode() + b"\r\n" + done
        if found := re.match(r"UID FETCH ([\d,]+) \((.*)\)", line):
            return self._fetched([int(uid) for uid in found[1].split(",")], found[2], tag) or done
        if line.startswith("LOGOUT"):
            return b"* BYE\r\n" + done
        return done

    def _fetched(self, uids: list[int], what: str, tag: bytes) -> bytes:
        said = b""
        for place, uid in enumerate(uids, start=1):
            if uid not in self.mails:
                continue
            raw = self.mails[uid]
            if "BODY" not in what:
                date = b'INTERNALDATE "24-Nov-2026 09:00:00 +0100"'
                said += b"* %d FETCH (UID %d RFC822.SIZE %d %s)\r\n" % (place, uid, len(raw), date)
            elif uid in self.bodies:
                trouble = self.bodies[uid]
                return HANG_UP if trouble == HANG_UP else tag + b" " + trouble + b"\r\n"
            else:
                said += b"* %d FETCH (UID %d BODY[] {%d}\r\n%s)\r\n" % (place, uid, len(raw), raw)
        return said + tag + b" OK done\r\n"


@contextmanager
def scripted(script: Scripted) -> Iterator[Scripted]:
    """`script` running on a port of its own."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"* OK ready\r\n")
            for line in self.rfile:
                tag, _, rest = line.strip().partition(b" ")
                if rest == b"IDLE":
                    script.said.append("IDLE")
                    self.wfile.write(script.idle())
                    if not self.rfile.readline():
                        return
                    self.wfile.write(tag + b" OK done\r\n")
                    continue
                if rest.startswith(b"AUTHENTICATE"):
                    self.wfile.write(b"+ \r\n")
                    script.said.append("AUTHENTICATE " + self.rfile.readline().decode().strip())
                    self.wfile.write(tag + b" OK done\r\n")
                    continue
                answer = script.answer(tag, rest.decode())
                if answer == HANG_UP:
                    return
                self.wfile.write(answer)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

        def handle_error(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
            pass  # the client left while it was written to; the test knows

    with Server(("127.0.0.1", 0), Handler) as server:
        script.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield script
        finally:
            server.shutdown()
            thread.join()
