"""Sending over SMTP (RFC 5321): a connection kept open, bytes sent as they are, and the truth about what became of it.

aiosmtplib connects, encrypts and signs in; the transaction itself is ours (`delivery.dialogue`), because only the
writer knows whether the end of the data was on its way when something broke, which is what tells "try again" from
"nobody can know". Where the server offers it (RFC 2920), MAIL, RCPT and DATA go out together, so that a mail costs two
round trips.
"""

import asyncio
import logging
import socket
from types import TracebackType
from typing import Self

import aiosmtplib
from aiosmtplib import SMTPAuthenticationError, SMTPException, SMTPResponseException

from digest.address import ascii_domain
from digest.config import Smtp
from digest.delivery import Outcome
from digest.delivery.data import Data, data
from digest.delivery.dialogue import Dialogue, GoneError, Reply
from digest.network import certificates, configured, reason
from digest.nouns import DeliveryStatus
from digest.oauth import OAuthError, access_token, forget

log = logging.getLogger(__name__)

#: Replies that are about us and not about this mail (RFC 4954, 6): sign in first, encrypt first.
_NOT_SIGNED_IN = (530, 538)
#: Enhanced codes (RFC 3463) that are about this mail's size, whatever command they answer.
_TOO_BIG = ("5.2.3", "5.3.4")
QUIT_SECONDS = 5.0


class DeliveryError(Exception):
    """The server cannot be used, so no mail was tried; the text is one sentence, without addresses or secrets."""


class _StaleError(Exception):
    """The connection broke before this mail's data: on one that had rested, a new one may do better."""


class Connection:
    """`async with Connection(settings) as c: await c.send(…)`. Connects when first needed, and again when it was lost.

    One mail at a time: lanes that send side by side have a connection each.
    """

    def __init__(self, settings: Smtp) -> None:
        self.settings = settings
        self._talk: Dialogue | None = None
        self._offers: dict[str, str] = {}  # the server's extensions, in lower case (RFC 5321, 4.1.1.1)
        self._reset = b""  # what must be said first, because the last transaction was refused half-way
        self._data_ended = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            await self.leave()
        self._drop()
        await asyncio.sleep(0)  # the loop may end with us: let it close the socket first

    async def leave(self) -> None:
        """Take leave of the server; the next mail connects anew."""
        try:
            if self._talk is not None and self._talk.quiet:
                async with asyncio.timeout(min(self.settings.timeout, QUIT_SECONDS)):
                    self._talk.say(b"QUIT\r\n")
                    await self._talk.reply()
        except (GoneError, TimeoutError) as gone:
            log.debug("The mail server did not answer QUIT: %s", type(gone).__name__)  # every mail has been settled
        finally:
            self._drop()

    async def send(self, sender: str, recipient: str, mail: Data | bytes) -> Outcome:
        """Send one mail, byte for byte, to one address; within `settings.timeout` seconds in all, connecting included.

        sent: the server has taken it (250 after its end). deferred: it has not, and a later attempt may do better.
        failed: it has said no for good. unknown: the end of the data went out and no answer came back, so it may have
        been taken. Raises DeliveryError when no mail could be tried at all. `mail` has CRLF line ends (RFC 5322, 2.3).
        """
        if isinstance(mail, bytes):
            try:
                mail = data(mail)
            except ValueError as wrong:
                return _not_sent(str(wrong))
        self._data_ended = connected = False
        try:
            async with asyncio.timeout(self.settings.timeout):
                rested = await self._connected()
                connected = True
                try:
                    return await self._transaction(sender, recipient, mail)
                except _StaleError as error:
                    if not rested:
                        return _lost(error)
                # The server had closed a connection that rested too long (RFC 5321, 4.5.3.2.7): no fault of this mail.
                connected = False
                await self._connected()
                connected = True
                try:
                    return await self._transaction(sender, recipient, mail)
                except _StaleError as error:
                    return _lost(error)
        except TimeoutError:
            kept_here = self._talk is not None and self._talk.unsent
            self._drop()
            if not connected:
                raise DeliveryError(reason(TimeoutError(), self.settings)) from None
            seconds = f"The server did not answer within {self.settings.timeout:g} seconds"
            if self._data_ended and not kept_here:
                return Outcome(DeliveryStatus.UNKNOWN, f"{seconds} after it was given the whole mail.")
            return Outcome(DeliveryStatus.DEFERRED, f"{seconds}; the mail was not handed over.", busy=True)
        except BaseException:
            self._drop()  # cancelled, or something nobody foresaw: never reuse a conversation that stopped half-way
            raise

    async def _connected(self) -> bool:
        """Have a conversation with a server that let us in; whether it is one that was kept. Raises DeliveryError."""
        if self._talk is not None and self._talk.quiet:
            return True
        self._drop()
        client = await _connect(self.settings)
        transport = client.transport
        if not isinstance(transport, asyncio.Transport):
            raise DeliveryError(reason(EOFError(), self.settings))
        self._talk, self._offers, self._reset = Dialogue(transport), client.esmtp_extensions, b""
        return False

    def _drop(self) -> None:
        if self._talk is not None:
            self._talk.close()
            self._talk = None

    async def _transaction(self, sender: str, recipient: str, mail: Data) -> Outcome:
        """RSET where needed, MAIL, RCPT, DATA and the mail. Raises _StaleError before the data, and DeliveryError."""
        commands = self._commands(sender, recipient, mail)
        if isinstance(commands, Outcome):
            return commands
        talk = self._talk
        assert talk is not None  # noqa: S101 (`send` has connected)
        together = "pipelining" in self._offers
        refused: tuple[bytes, Reply] | None = None  # the first command that was, and how
        reply = Reply(0, "")
        try:
            if together:
                talk.say(b"".join(commands))
            for command in commands:
                if not together:
                    talk.say(command)
                reply = await talk.reply()
                if refused is None and reply.code not in _ASKED[command[:4]]:
                    refused = command[:4], reply
                    if not together:
                        break
        except GoneError as error:
            self._drop()
            if refused is None:  # else the server's words came before it went
                raise _StaleError(str(error)) from None
        if refused is None:
            return await self._data(talk, mail)
        self._reset = b"RSET\r\n"
        command, said = refused
        if together and reply.code == 354:
            # RFC 2920, 3.1 would have us end it with a dot; but who answered 252 might take that for a mail.
            self._drop()
        if said.code in _NOT_SIGNED_IN:
            self._drop()
            raise DeliveryError(_refused(said.code, said.words, self.settings))
        if command == b"RSET":
            self._drop()
            raise _StaleError(f"RSET was answered {said}")
        if said.code < 200 or said.code == 421:
            self._drop()  # that was no SMTP reply, so the next one may not be for us; or the server is closing (3.8)
        return _answered(said, taken=False, ours=command == b"MAIL")

    def _commands(self, sender: str, recipient: str, mail: Data) -> list[bytes] | Outcome:
        """What to say before the data; or why there is no saying it."""
        said = [f"MAIL FROM:<{sender}>"]
        if "size" in self._offers:  # RFC 1870, 4: the limit, 0 or nothing where there is none
            said.append(f"SIZE={mail.size}")
            limit = self._offers["size"].strip()
            if limit.isdigit() and 0 < int(limit) < mail.size:
                return _not_sent(f"the mail has {mail.size} bytes and the server takes at most {limit}")
        sender, recipient = ascii_domain(sender), ascii_domain(recipient)
        if not (sender + recipient).isascii():
            if "smtputf8" not in self._offers:  # RFC 6531, 3.2
                return _not_sent("the address has letters that this mail server cannot carry (it lacks SMTPUTF8)")
            said.append("SMTPUTF8")
        if not mail.ascii:
            if "8bitmime" not in self._offers:  # RFC 6152; who has SMTPUTF8 has it (RFC 6531, 3.1)
                return _not_sent("the mail has 8-bit lines and the server takes none")
            said.append("BODY=8BITMIME")
        if not (sender + recipient).isprintable() or any(mark in sender + recipient for mark in "<> "):
            return _not_sent("SMTP cannot carry this address")
        first = [self._reset] if self._reset else []
        self._reset = b""
        return [*first, f"{' '.join(said)}\r\n".encode(), f"RCPT TO:<{recipient}>\r\n".encode(), b"DATA\r\n"]

    async def _data(self, talk: Dialogue, mail: Data) -> Outcome:
        """The mail itself. From its first byte a lost connection means unknown: what a socket still holds goes out."""
        try:
            talk.say(mail.stuffed + b".\r\n")
        except GoneError as error:
            self._drop()
            raise _StaleError(str(error)) from None
        self._data_ended = True
        try:
            reply = await talk.reply()  # `send` keeps the time
        except GoneError as error:
            self._drop()
            return Outcome(DeliveryStatus.UNKNOWN, f"No answer came after the whole mail was sent ({error}).")
        if reply.code == 421:  # RFC 5321, 3.8: the server is closing
            self._drop()
        return _answered(reply, taken=200 <= reply.code < 300)


#: What each command must be answered with to go on (RFC 5321, 4.3.2); 252 does not say that a recipient is taken.
_ASKED = {b"RSET": (250,), b"MAIL": (250,), b"RCPT": (250, 251), b"DATA": (354,)}


def _not_sent(why: str) -> Outcome:
    return Outcome(DeliveryStatus.FAILED, f"Not sent: {why}.")


def _lost(error: _StaleError) -> Outcome:
    return Outcome(
        DeliveryStatus.DEFERRED, f"The connection was lost before the mail was handed over ({error}).", busy=True
    )


def _answered(reply: Reply, *, taken: bool, ours: bool = False) -> Outcome:
    """What the server's last reply means (RFC 5321, 4.2.1). Only a 2xx to the end of the data says a mail is taken.

    `ours`: it answers MAIL, which names nobody but us. A 5xx there would be the same for every member, and comes of a
    setting (RFC 5321, 3.3), so it is no member's last word: the mail waits until somebody has put it right.
    """
    if taken:
        return Outcome(DeliveryStatus.SENT, str(reply))
    ours = ours and not reply.words.startswith(_TOO_BIG) and reply.code != 552
    final = 500 <= reply.code < 600 and not ours
    return Outcome(DeliveryStatus.FAILED if final else DeliveryStatus.DEFERRED, str(reply), ours or reply.code == 421)


async def _connect(settings: Smtp) -> aiosmtplib.SMTP:
    """A connected, encrypted and signed-in client, as the settings say. Raises DeliveryError."""
    with configured(DeliveryError):
        context = None if settings.security == "none" else certificates(settings)
        password = settings.secret("password")
    if settings.username and settings.auth == "password" and not password:
        raise DeliveryError("smtp.username is set but no password: set DIGEST_SMTP__PASSWORD or smtp.password_file.")

    client = aiosmtplib.SMTP(
        hostname=settings.host,
        port=settings.port,
        local_hostname=_own_name(),
        timeout=settings.timeout,
        use_tls=settings.security == "tls",
        start_tls=False,  # asked for below, where the plain transport can be got at if it fails
        tls_context=context,
    )
    plain: asyncio.BaseTransport | None = None
    try:
        await client.connect()
        plain = client.transport
        if settings.security == "starttls":
            await client.starttls()
        if client.is_ehlo_or_helo_needed:
            await client.ehlo()
        if settings.username and settings.auth == "xoauth2":
            await client.auth_xoauth2(settings.username, await asyncio.to_thread(access_token, settings))
        elif settings.username:
            await client.login(settings.username, password)
    except BaseException as error:
        _close(client, plain if client.transport is None else None)  # a handshake that fails lets go of it
        await asyncio.sleep(0)
        if isinstance(error, Exception):
            raise _unusable(error, settings) from None
        raise
    return client


def _close(client: aiosmtplib.SMTP, transport: asyncio.BaseTransport | None = None) -> None:
    """Close at once: a TLS connection would wait half a minute for the other side's goodbye."""
    transport = transport or client.transport
    client.close()
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()


def _unusable(error: Exception, settings: Smtp) -> Exception:
    """Why there is no connection, as DeliveryError; anything else as it came."""
    where = f"The mail server {settings.host} (port {settings.port})"
    match error:
        case OAuthError():
            return DeliveryError(str(error))
        case SMTPAuthenticationError():
            if settings.auth == "xoauth2":
                forget(settings)
            return DeliveryError(_refused(error.code, error.message, settings))
        case SMTPResponseException():
            code = f"{error.code} " if error.code > 0 else ""  # aiosmtplib's -1: that was no SMTP reply at all
            said = _words(f"{code}{error.message}", settings)
            return DeliveryError(f"{where} takes no mail now ({said}); check smtp.port if this does not pass.")
        case OSError() | EOFError() | UnicodeError():  # aiosmtplib's lost connections and timeouts are OSErrors too
            return DeliveryError(reason(error, settings))
        case SMTPException():  # STARTTLS or AUTH is not offered
            said = _words(error.message, settings)
            return DeliveryError(f"{where} cannot be used ({said}); check smtp.security, smtp.port and smtp.auth.")
    return error


def _own_name() -> str:
    """How we introduce ourselves: this machine's full name, else an address literal (RFC 5321, 4.1.3). Asks no DNS."""
    name = socket.gethostname()
    return name if "." in name.strip(".") and name.isascii() else "[127.0.0.1]"


def _refused(code: int, words: str, settings: Smtp) -> str:
    said = _words(f"{code} {words}", settings)
    check = "smtp.username and the password" if settings.auth == "password" else "smtp.username and smtp.client_id"
    return f"The mail server {settings.host} (port {settings.port}) wants a sign-in it accepts ({said}); check {check}."


def _words(text: str, settings: Smtp) -> str:
    """The server's own words, short, and without the account's name: they are logged."""
    if settings.username:
        text = text.replace(settings.username, "…")
    return " ".join(text.split())[:200].rstrip(". ")
