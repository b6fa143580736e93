"""`bench/stream DIR --out FILE`: a labelled stream, from files to export, in a fresh temporary database.

DIR holds `members.csv` and `mail/*.eml`. The stream's and the service's addresses are read off the mail itself, as an
operator would know them: the list's own `List-Post` (RFC 2369) or `List-Id` (RFC 2919), and the mailbox's
`Delivered-To`.
"""

import argparse
import email
import re
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from digest import store, worker
from digest.cli import import_mail, write_export
from digest.config import CommunitySettings, Settings
from digest.steps import enrol

ADDRESS = re.compile(r"[\w.+'-]+@[\w.-]+\w")
LIST_ID = re.compile(r"<([\w+-]+)\.([\w.-]+)>")  # RFC 2919: usually the address with a dot for its @


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    began = time.perf_counter()
    mail = sorted((args.folder / "mail").glob("*.eml"))
    if not mail:
        sys.exit(f"{args.folder / 'mail'} holds no .eml files.")
    with tempfile.TemporaryDirectory() as folder:
        community = settings_of(mail)
        settings = Settings(data=Path(folder), community=(community,))
        engine = store.connect(settings.database)
        store.migrate(engine)
        with store.transaction(engine) as session:
            community_id = enrol.communities(session, settings)[community.slug]
            enrol.members(session, community_id, enrol.read_csv(args.folder / "members.csv"), worker.now())
        import_mail(engine, community_id, community, mail)
        lines = write_export(engine, community_id, args.out, with_identifiers=True)
        engine.dispose()
    print(f"{len(mail)} mails, {lines} lines written to {args.out} in {time.perf_counter() - began:.1f} s")


def settings_of(mail: list[Path]) -> CommunitySettings:
    """The community whose mail this is. A list that names itself nowhere is the address most mail is sent to."""
    posts, named, written_to, mailboxes = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for path in mail:
        headers = email.message_from_bytes(path.read_bytes().split(b"\r\n\r\n", 1)[0].split(b"\n\n", 1)[0])
        posts.update(ADDRESS.findall(str(headers["List-Post"] or "").lower())[:1])
        named.update(f"{name}@{host}" for name, host in LIST_ID.findall(str(headers["List-Id"] or "").lower())[:1])
        written_to.update(set(ADDRESS.findall(f"{headers['To'] or ''} {headers['Cc'] or ''}".lower())))
        mailboxes.update(ADDRESS.findall(str(headers["Delivered-To"] or "").lower())[:1])
    names = [address for address, _ in posts.most_common(1)]
    names += [address for address, _ in named.most_common() if address in written_to]
    names += [address for address, _ in written_to.most_common() if address not in mailboxes]
    stream = next(iter(names), "stream@example.org")
    service = next((a for a, _ in mailboxes.most_common() if a != stream), "digest@example.org")
    return CommunitySettings(slug="stream", name="Stream", stream_address=stream, digest_sender=service)


if __name__ == "__main__":
    main()
