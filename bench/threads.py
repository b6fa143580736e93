"""`bench/threads MBOX`: header threading beside Dovecot's THREAD=REFS (RFC 5256) and notmuch, on the same mail.

First the conversations that shared Message-IDs make, before any rule of ours: the share of messages whose conversation
is the very same set of messages. Then what our rules change, by stored reason. Prints no text of any mail.
"""

import argparse
import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from imapclient import IMAPClient  # type: ignore[import-untyped]
from sqlmodel import col, select

from digest import store, worker
from digest.cli import batched
from digest.config import CommunitySettings, Settings
from digest.mailbox.archive import ArchiveError, arrivals
from digest.message import Ours, understand
from digest.message.parse import parse
from digest.models import Message
from digest.network import certificates
from digest.nouns import Kind
from digest.steps import enrol, file, receive
from digest.thread import reasons as why
from digest.thread.threading import clusters
from tests.live import servers

EXAMPLES = 3
BATCH = 200
#: Reasons that header threading has, too.
USUAL = (why.STARTS, why.ANSWERS, why.ANSWERED, why.REFERS, why.SHARES, why.COPY)

Partition = list[set[int]]  # of the mails' positions in the mbox


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mbox", type=Path)
    mbox = parser.parse_args().mbox
    if shutil.which("notmuch") is None:
        sys.exit("notmuch is not installed; on Debian: apt-get install --no-install-recommends notmuch")
    try:
        raws = [arrival.raw for arrival in arrivals([mbox])]
        dovecot, notmuch = by_dovecot(raws), by_notmuch(raws)
    except ArchiveError as error:
        sys.exit(str(error))
    except pytest.skip.Exception as missing:  # so the servers of the live tests say what is not here
        sys.exit(f"{missing}.")
    headers = [parse(raw) for raw in raws]
    ours = clusters([(*h.ids("message-id")[:1], *h.ids("in-reply-to"), *h.ids("references")) for h in headers])
    names = [next(iter(h.ids("message-id")), f"(none, #{at})") for at, h in enumerate(headers, start=1)]
    first = {name: at for at, name in reversed(list(enumerate(names)))}
    print(f"{len(raws)} mails, {len(first)} without copies of the same Message-ID.")
    result: dict[str, float] = {"mails": len(raws), "messages": len(first)}
    for key, name, theirs in (
        ("agree_dovecot_refs", "Dovecot THREAD=REFS", dovecot),
        ("agree_notmuch", "notmuch", notmuch),
    ):
        # RFC 5256, 3, REFERENCES (1): a second mail with the same Message-ID is taken as if it had another one. To
        # notmuch and to us it is the same message again.
        differ = differing(only(ours, set(first.values())), only(theirs, set(first.values())))
        with_copies = differing(ours, theirs)
        result[key] = share(len(differ), len(first))
        result[f"{key}_with_copies"] = share(len(with_copies), len(raws))
        print(f"{name}: {len(differ)} messages in another conversation, {len(with_copies)} when copies count.")
        for at in differ[:EXAMPLES]:
            print(f"  #{at + 1} <{names[at]}>")
    rules(mbox, ours, names)
    print(json.dumps(result))


def share(differ: int, of: int) -> float:
    return 1 - differ / of if of else 1.0


def only(partition: Partition, kept: set[int]) -> Partition:
    return [one & kept for one in partition if one & kept]


def differing(ours: Partition, theirs: Partition) -> list[int]:
    """The messages whose conversation is not the same set in both."""
    same = {frozenset(one) for one in theirs}
    return sorted(at for one in ours if frozenset(one) not in same for at in one)


def rules(mbox: Path, raw: Partition, names: Sequence[str]) -> None:
    """What the whole service makes of the mail, as if from members: prints where and why it departs from headers."""
    ours, reasons = filed(mbox)
    placed = {at for one in ours for at in one}
    headers = only(raw, placed)
    changed = differing(ours, headers)
    print(
        f"With our rules: {len(placed)} mails placed (neither automatic, nor copies, nor held) in {len(ours)} threads,"
    )
    print(f"where headers alone make {len(headers)}; {len(changed)} mails are in a changed thread. By stored reason:")
    total = Counter(reasons[at] for at in placed)
    differ = Counter(reasons[at] for at in changed)
    for reason, number in total.most_common():
        print(f"  {number:6} mails, {differ[reason]:5} in a changed thread: {reason}")
    conversation = {at: number for number, one in enumerate(headers) for at in one}
    parted = [one for one in headers if not any(one <= thread for thread in ours)]
    joined = [one for one in ours if len({conversation[at] for at in one}) > 1]
    for what, found in (("conversations parted", parted), ("threads that join several conversations", joined)):
        print(f"{len(found)} {what}; the first:")
        for some in found[:EXAMPLES]:
            print(f"  {len(some)} mails, from <{names[min(some)]}>")
            for at in sorted(some)[1:]:
                if reasons[at] not in USUAL:
                    print(f"    <{names[at]}> {reasons[at]}")


def filed(mbox: Path) -> tuple[Partition, dict[int, str]]:
    """The mail through the service's own steps into a fresh database: its threads, and the reason stored for each."""
    community = CommunitySettings(
        slug="bench", name="Bench", stream_address="stream@example.org", digest_sender="digest@example.org"
    )
    # Archives spoil addresses, so each name that anybody wrote under is a member with an address of its own.
    writers: dict[str, str] = {}
    ours = Ours(community.stream_address, community.digest_sender)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=Path(folder), community=(community,))
        engine = store.connect(settings.database)
        store.migrate(engine)
        with store.transaction(engine) as session:
            community_id = enrol.communities(session, settings)[community.slug]
        with ProcessPoolExecutor() as pool:
            for batch in batched(arrivals([mbox]), BATCH):
                with store.transaction(engine) as session:
                    receive.store(session, community_id, batch)
                    stored = file.unfiled(session, community_id, BATCH)
                understood = pool.map(partial(understand, ours=ours), [raw for _, raw in stored], chunksize=20)
                mails = []
                known = len(writers)
                for (id, _), one in zip(stored, understood, strict=True):
                    address = writers.setdefault(one.from_name or one.from_address, f"{len(writers)}@example.org")
                    mails.append((id, replace(one, from_address=address, spoof="")))
                with store.transaction(engine) as session:
                    fresh = [{"email": address, "name": "A member"} for address in list(writers.values())[known:]]
                    enrol.members(session, community_id, fresh, worker.now())
                    file.file(session, community_id, community, mails, worker.now())
        threads: dict[int, set[int]] = {}
        reasons: dict[int, str] = {}
        with store.read(engine) as session:
            for message in session.exec(select(Message).where(col(Message.thread_id).is_not(None))):
                if message.kind is not Kind.DUPLICATE:
                    at = int(message.source.rpartition("#")[2]) - 1
                    threads.setdefault(message.thread_id or 0, set()).add(at)
                    reasons[at] = message.thread_reason
        engine.dispose()
    return list(threads.values()), reasons


def maildir(raws: Sequence[bytes], folder: Path) -> None:
    """The mails as files of a Maildir, named by their positions."""
    for part in ("new", "tmp", "cur"):
        (folder / part).mkdir(parents=True)
    for at, raw in enumerate(raws):
        (folder / "cur" / f"{at}.bench:2,S").write_bytes(raw)


def position(file_name: str) -> int:
    return int(Path(file_name).name.partition(".")[0])


def by_dovecot(raws: Sequence[bytes]) -> Partition:
    """The conversations of THREAD=REFS. Skips (pytest's exception) when Dovecot cannot be had."""
    with (
        servers.server_folder("certificate") as folder,
        servers.dovecot(["bench@example.org"], servers.certificate(folder)) as server,
    ):
        box = server.folder / "mail" / "service"
        maildir(raws, box / "Maildir")
        nobody = pwd.getpwnam("nobody")
        for path in (box, *box.rglob("*")):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
        imap = server.settings()
        with IMAPClient(imap.host, imap.port, ssl_context=certificates(imap), timeout=600) as client:
            client.login(imap.username, servers.PASSWORD)
            client.select_folder("INBOX", readonly=True)
            # A Maildir mail's GUID is its file's name.
            at: dict[int, int] = {}
            for uids in batched(iter(client.search("ALL")), BATCH):
                rows = client.fetch(uids, ["X-GUID"])
                at |= {uid: position(row[b"X-GUID"].decode()) for uid, row in rows.items()}
            return [{at[uid] for uid in flat(thread)} for thread in client.thread("REFS", "ALL", "UTF-8")]


def flat(thread: Any) -> Iterator[int]:
    """Every UID of a THREAD response's conversation (RFC 5256, 4): tuples within tuples."""
    waiting = [thread]
    while waiting:
        one = waiting.pop()
        if isinstance(one, int):
            yield one
        else:
            waiting.extend(one)


def by_notmuch(raws: Sequence[bytes]) -> Partition:
    """notmuch's threads, from a configuration and database of its own."""
    with tempfile.TemporaryDirectory() as folder:
        return _by_notmuch(raws, Path(folder))


def notmuch_config(folder: Path) -> Path:
    """A configuration for the Maildir `folder`/mail that makes notmuch do no more than its work."""
    config = folder / "notmuch-config"
    config.write_text(
        f"[database]\npath={folder / 'mail'}\n[user]\nname=Bench\nprimary_email=bench@example.org\n"
        "[new]\ntags=\n[search]\nexclude_tags=\n[maildir]\nsynchronize_flags=false\n[index]\ndecrypt=false\n"
    )
    return config


def _by_notmuch(raws: Sequence[bytes], folder: Path) -> Partition:
    maildir(raws, folder / "mail")
    config = notmuch_config(folder)

    def notmuch(*command: str) -> bytes:
        own = {"NOTMUCH_CONFIG": str(config), "HOME": str(folder), "PATH": os.environ.get("PATH", "")}
        return subprocess.run(["notmuch", *command], env=own, check=True, stdout=subprocess.PIPE).stdout

    notmuch("new", "--quiet", "--no-hooks")
    threads = json.loads(notmuch("show", "--format=json", "--body=false", "--entire-thread=true", "*"))
    return [{position(name) for name in files(thread)} for thread in threads]


def files(shown: Any) -> Iterator[str]:
    """The file names in what `notmuch show` says of a thread (devel/schemata): [[message, [replies…]], …]."""
    waiting = [shown]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            names = one["filename"]
            yield from [names] if isinstance(names, str) else names
        elif one:
            waiting.extend(one)


if __name__ == "__main__":
    main()
