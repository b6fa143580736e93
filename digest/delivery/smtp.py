"""Sending over SMTP (RFC 5321): a connection kept open, bytes sent as they are, and the truth about what became of it.

aiosmtplib signs in and speaks the commands; the mail itself is written here, because only the writer knows whether the
end of the data was on its way when something broke, which is what tells "try again" from "nobody can know".
"""

import asyncio
import logging
import re
import socket
from types import TracebackType
from typing import Self

import aiosmtplib
from aiosmtplib import (
    SMTPAuthenticationError,
    SMTPException,
    SMTPResponseException,
    SMTPServerDisconnected,
    SMTPTimeoutError,
)

from digest.config import Smtp
from digest.delivery import Outcome
from digest.network import certificates, configured, reason
from digest.nouns import DeliveryStatus
from digest.oauth import OAuthError, access_token, forget

log = logging.getLogger(__name__)

_DOT = re.compile(rb"^\.", re.MULTILINE)
_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n")

#: Replies that are about us and not about this mail (RFC 4954, 6): sign in first, encrypt first.
_NOT_SIGNED_IN = (530, 538)
RESET_SECONDS = 5.0  # a refusal is known already; a slow RSET shall not cost us the server's words


class DeliveryError(Exception):
    """The server cannot be used, so no mail was tried; the text is one sentence, without addresses or secrets."""


class _LostError(Exception):
    """The connection broke where the mail cannot have been taken yet."""


class Connection:
    """`async with Connection(settings) as c: await c.send(…)`. Connects when first needed, and again when it was lost.

    One mail at a time: lanes that send side by side have a connection each.
    """

    def __init__(self, settings: Smtp) -> None:
        self.settings = settings
        self._client: aiosmtplib.SMTP | None = None
        self._data_ended = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        client, self._client = self._client, None
        if client is None:
            return
        transport = client.transport  # QUIT lets go of it before it is closed
        try:
            if error is None and client.is_connected:
                await client.quit(timeout=min(self.settings.timeout, 5.0))
        except (SMTPException, OSError) as gone:
            log.debug("The mail server did not answer QUIT: %s", type(gone).__name__)  # every mail has been settled
        finally:
            _close(client, transport)
            await asyncio.sleep(0)  # the loop may end with us: let it close the socket first

    async def send(self, sender: str, recipient: str, wire: bytes) -> Outcome:
        """Send one mail, byte for byte, to one address; within `settings.timeout` seconds in all, connecting included.

        sent: the server has taken it (250 after its end). deferred: it has not, and a later attempt may do better.
        failed: it has said no for good. unknown: the end of the data went out and no answer came back, so it may have
        been taken. Raises DeliveryError when no mail could be tried at all. `wire` has CRLF line ends (RFC 5322, 2.3).
        """
        if _BARE.search(wire) or not wire.endswith(b"\r\n"):
            return Outcome(DeliveryStatus.FAILED, "Not sent: the mail has line ends that SMTP cannot carry unchanged.")
        self._data_ended = connected = False
        try:
            async with asyncio.timeout(self.settings.timeout):
                client, fresh = await self._connected()
                connected = True
                try:
                    return await self._transaction(client, sender, recipient, wire)
                except _LostError:
                    if fresh:
                        raise
                # The server had closed a connection that rested too long (RFC 5321, 4.5.3.2.7): no fault of this mail.
                connected = False
                client, _ = await self._connected()
                connected = True
                return await self._transaction(client, sender, recipient, wire)
        except _LostError as error:
            return Outcome(
                DeliveryStatus.DEFERRED, f"The connection was lost before the mail was handed over ({error})."
            )
        except TimeoutError:
            self._drop()
            if not connected:
                raise DeliveryError(reason(TimeoutError(), self.settings)) from None
            seconds = f"The server did not answer within {self.settings.timeout:g} seconds"
            if self._data_ended:
                return Outcome(DeliveryStatus.UNKNOWN, f"{seconds} after it was given the whole mail.")
            return Outcome(DeliveryStatus.DEFERRED, f"{seconds}; the mail was not handed over.")
        except BaseException:
            self._drop()  # cancelled, or something nobody foresaw: never reuse a conversation that stopped half-way
            raise

    async def _connected(self) -> tuple[aiosmtplib.SMTP, bool]:
        """A client that is signed in, and whether it is a new one. Raises DeliveryError."""
        if self._client is not None and self._client.is_connected:
            return self._client, False
        self._drop()
        self._client = await _connect(self.settings)
        return self._client, True

    def _drop(self) -> None:
        if self._client is not None:
            _close(self._client)
            self._client = None

    async def _transaction(self, client: aiosmtplib.SMTP, sender: str, recipient: str, wire: bytes) -> Outcome:
        """MAIL, RCPT, DATA. Raises _LostError, only where the mail cannot have been taken, and DeliveryError."""
        options = [f"SIZE={len(wire)}"] if client.supports_extension("size") else []
        if not wire.isascii():
            if not client.supports_extension("8bitmime"):
                return Outcome(DeliveryStatus.FAILED, "Not sent: the mail has 8-bit lines and the server takes none.")
            options.append("BODY=8BITMIME")
        try:
            await client.mail(sender, options=options)
            await client.rcpt(recipient)
            code, words = await client.execute_command(b"DATA")
        except SMTPResponseException as error:
            code, words = error.code, error.message
        except (SMTPServerDisconnected, SMTPTimeoutError) as error:
            self._drop()
            raise _LostError(error.message) from None
        except ValueError:  # a control character, or a letter outside ASCII, which needs SMTPUTF8 (RFC 6531)
            await self._reset(client)
            return Outcome(DeliveryStatus.FAILED, "Not sent: SMTP cannot carry this address.")
        if code == 354:
            return await self._data(client, wire)
        if code in _NOT_SIGNED_IN:
            self._drop()
            raise DeliveryError(_refused(code, words, self.settings))
        if code < 200:
            self._drop()  # that was no SMTP reply, so the next one may not be for us
        else:
            await self._reset(client)
        return _answered(code, words, taken=False)

    async def _data(self, client: aiosmtplib.SMTP, wire: bytes) -> Outcome:
        """The mail itself. From its first byte a lost connection means unknown: what a socket still holds goes out."""
        protocol = client.protocol
        if protocol is None:
            self._drop()
            raise _LostError("closed after DATA")
        try:
            protocol.write(_DOT.sub(b"..", wire) + b".\r\n")  # RFC 5321, 4.5.2
        except SMTPServerDisconnected as error:
            self._drop()
            raise _LostError(error.message) from None
        self._data_ended = True
        try:
            code, words = await protocol.read_response(timeout=None)  # `send` keeps the time
        except (SMTPException, OSError) as error:
            self._drop()
            said = error.message if isinstance(error, SMTPException) else type(error).__name__
            return Outcome(DeliveryStatus.UNKNOWN, f"No answer came after the whole mail was sent ({said}).")
        if code == 421:  # RFC 5321, 3.8: the server is closing
            self._drop()
        return _answered(code, words, taken=200 <= code < 300)

    async def _reset(self, client: aiosmtplib.SMTP) -> None:
        """End a transaction that was refused, so that the next mail starts clean; or else on a new connection."""
        try:
            await client.rset(timeout=RESET_SECONDS)
        except (SMTPException, OSError):
            self._drop()


def _answered(code: int, words: str, *, taken: bool) -> Outcome:
    """What the server's last reply means (RFC 5321, 4.2.1). Only a 2xx to the end of the data says a mail is taken."""
    status = DeliveryStatus.FAILED if 500 <= code < 600 else DeliveryStatus.DEFERRED
    return Outcome(DeliveryStatus.SENT if taken else status, f"{code} {words}".replace("\n", " "))


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
