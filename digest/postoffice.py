"""A post office inside this process: real IMAP4rev1 (with IDLE) and real SMTP on loopback. For development only.

`digest demo` and the tests use it in place of the community's mail provider. It has no TLS, takes mail for anybody
without asking who sends it, and forgets everything when it closes, so it must never face a network. It needs pymap and
aiosmtpd, which `pip install digest[demo]` brings and nothing else of the service imports.
"""

import asyncio
import logging
import threading
from argparse import Namespace
from collections.abc import Callable, Collection
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from types import TracebackType
from typing import Self
from weakref import WeakSet

from aiosmtpd.smtp import SMTP, Envelope, Session
from proxyprotocol.reader import ProxyProtocolReader
from pymap.backend.dict import Config, Login
from pymap.backend.dict.filter import FilterSet
from pymap.backend.dict.mailbox import MailboxData, MailboxSet
from pymap.concurrent import Event
from pymap.imap import IMAPServer
from pymap.parsing.message import AppendMessage
from pymap.selected import SelectedMailbox
from pymap.user import UserMetadata
from pysasl.hashing import Cleartext

from digest.config import Imap, Smtp

logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd logs what clients say, addresses and all

HOST = "127.0.0.1"
START_SECONDS = 10


class _Config(Config):
    @property
    def greeting(self) -> bytes:
        return b"Post office ready"  # pymap's own asks the DNS for this machine's name, which can take seconds


class _Inbox(MailboxData):
    """pymap's mailbox, whose IDLE tells only what comes after it has begun; RFC 2177 wants what came before as well."""

    async def update_selected(self, selected: SelectedMailbox, *, wait_on: Event | None = None) -> SelectedMailbox:
        known = selected.mod_sequence
        if known is not None and known < self._mod_sequences.highest:
            wait_on = None  # there are news already
        return await super().update_selected(selected, wait_on=wait_on)


class PostOffice:
    """`with PostOffice({"stream@example.org"}) as office:` runs both servers in a thread of their own.

    Mail sent over SMTP to one of `addresses` lands in the IMAP INBOX of `username`, and wakes clients that IDLE there;
    everybody else's is kept in `outbox` as (recipient, bytes), in order of arrival. Bytes are kept as they came. The
    ports are free ones, found at the start.
    """

    username = "digest"
    password = "post-office"  # noqa: S105 (loopback, development only)

    def __init__(self, addresses: Collection[str]) -> None:
        self.addresses = frozenset(address.lower() for address in addresses)
        self.outbox: list[tuple[str, bytes]] = []
        self.imap_port = self.smtp_port = 0
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._leave: Callable[[], object] = lambda: None
        self._inbox: MailboxData
        self._clients = WeakSet[SMTP]()
        self._thread = threading.Thread(target=self._run, name="post office", daemon=True)

    @property
    def imap(self) -> Imap:
        """Settings that read the INBOX."""
        return Imap.model_validate(
            {"host": HOST, "port": self.imap_port, "security": "none"}
            | {"username": self.username, "password": self.password, "timeout": 10}
        )

    @property
    def smtp(self) -> Smtp:
        """Settings that send through it, as fast as it takes mail."""
        return Smtp(host=HOST, port=self.smtp_port, security="none", messages_per_minute=60_000, timeout=10)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(START_SECONDS):
            raise RuntimeError(f"The post office did not open within {START_SECONDS} seconds.")
        if self._failure:
            self._thread.join()
            raise self._failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # handed to the thread that waits in __enter__
            self._failure = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        loop, closing = asyncio.get_running_loop(), asyncio.Event()
        self._leave = lambda: loop.call_soon_threadsafe(closing.set)
        async with AsyncExitStack() as stack:
            imap = await stack.enter_async_context(await self._open_imap())
            smtp = await stack.enter_async_context(await loop.create_server(self._smtp_client, HOST, 0))
            self.imap_port, self.smtp_port = (server.sockets[0].getsockname()[1] for server in (imap, smtp))
            self._ready.set()
            await closing.wait()
            for listening in imap.sockets + smtp.sockets:
                loop.remove_reader(listening.fileno())
            await asyncio.sleep(0.01)  # asyncio loses a connection whose server closes while it is being accepted
            imap.close()
            smtp.close()
            # Neither server parts from its clients by itself, and Python 3.12.1 and later would wait for them to leave.
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            for client in self._clients:
                if isinstance(client.transport, asyncio.Transport):
                    client.transport.abort()
            await asyncio.sleep(0)  # transports close in the loop's next round

    def _smtp_client(self) -> SMTP:
        client = SMTP(self, hostname="localhost", ident="post office", data_size_limit=None)
        self._clients.add(client)
        return client

    async def _open_imap(self) -> asyncio.Server:
        config = _Config(
            Namespace(passlib_cfg=None, proxy_protocol=None),
            host=HOST,
            port=0,
            tls_enabled=False,
            hash_context=Cleartext(),
            invalid_user_sleep=0.0,
            reject_dnsbl=False,
            demo_data=False,
            demo_user=self.username,
            demo_password=self.password,
        )
        config.apply_context()  # pymap finds its concurrency in a context variable, also while the mailbox is made
        login = Login(config)
        await login.demo_user_identity.set(UserMetadata(config, self.username, password=self.password))
        mailboxes = MailboxSet()
        mailboxes._inbox = _Inbox(mailboxes._content_cache, mailboxes._thread_cache)
        config.set_cache[self.username] = (mailboxes, FilterSet())
        self._inbox = await mailboxes.get_mailbox("INBOX")
        server = IMAPServer(login, config)
        reader = ProxyProtocolReader(config.proxy_protocol)
        return await asyncio.start_server(reader.get_callback(server), host=HOST, port=0)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """aiosmtpd's hook for a mail received: into the INBOX, the outbox, or both; never into one INBOX twice."""
        raw = envelope.original_content
        assert raw is not None  # noqa: S101 (DATA always leaves bytes here)
        ours = [r for r in envelope.rcpt_tos if r.lower() in self.addresses]
        if ours:
            await self._inbox.append(AppendMessage(raw, datetime.now(UTC)), recent=True)
        self.outbox += [(r, raw) for r in envelope.rcpt_tos if r not in ours]
        return "250 OK"
