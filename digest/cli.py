"""The commands. Each loads the settings, brings the database up to date, and ends with 0 or with one clear sentence."""

import asyncio
import logging
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, nullcontext
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, select

from digest import oauth, store, worker
from digest.config import CommunitySettings, ConfigError, Settings, load
from digest.delivery.smtp import DeliveryError
from digest.mailbox import Arrival
from digest.mailbox.archive import ArchiveError, arrivals, count
from digest.mailbox.imap import MailboxError
from digest.models import Community, Member
from digest.steps import bounces, collate, enrol, erase, export, file, receive, signin
from digest.web.app import create_app
from digest.web.server import serve

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="A community's mailing digest."
)
out = Console()

SENTENCES = (
    ConfigError,
    ArchiveError,
    MailboxError,
    DeliveryError,
    oauth.OAuthError,
    enrol.EnrolError,
    InterruptedError,
)
STORE_BATCH = 200

Config = Annotated[Path | None, typer.Option("--config", help="The settings file; ./config.toml unless named.")]
Slug = Annotated[str, typer.Option("--community", help="The community's slug, where config.toml has several.")]


def main() -> None:
    """Run a command; whatever goes wrong that a person can mend is said in one sentence on standard error."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    for chatty in ("apscheduler", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    try:
        app()
    except SENTENCES as error:
        sys.exit(str(error))
    except OSError as error:  # a folder that is not there, rights, a full disk; without a file's name it is our bug
        if error.filename is None:
            raise
        sys.exit(f"{error.filename} cannot be used ({error.strerror}); check the path, its rights and the disk.")
    except SQLAlchemyError as error:
        said = worker.brief(error)
        sys.exit(f"The database did not answer as it should ({said}); check database_url and that it is running.")


def _open(config: Path | None) -> tuple[Settings, Engine]:
    settings = load(config)
    engine = store.connect(settings.database)
    store.migrate(engine)
    return settings, engine


def _community(settings: Settings, engine: Engine, slug: str) -> tuple[int, CommunitySettings]:
    if not slug and len(settings.community) > 1:
        raise ConfigError("config.toml has several communities; say which with --community.")
    community = settings.of(slug) if slug else settings.community[0]
    with store.transaction(engine) as session:
        return enrol.communities(session, settings)[community.slug], community


@contextmanager
def _bar() -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=out) as progress:
            yield progress
    except KeyboardInterrupt:
        raise InterruptedError("Stopped; run the same command again to go on where it left off.") from None


@app.command()
def run(config: Config = None) -> None:
    """Run the whole service: the desk, the mailbox, the schedule and the outbox."""
    settings, engine = _open(config)
    asyncio.run(_serve(settings, engine, with_worker=True))


@app.command()
def web(config: Config = None) -> None:
    """Run the desk alone."""
    settings, engine = _open(config)
    asyncio.run(_serve(settings, engine, with_worker=False))


@app.command(name="worker")
def work(config: Config = None) -> None:
    """Run the mailbox, the schedule and the outbox without the desk."""
    settings, engine = _open(config)
    asyncio.run(_work(settings, engine))


async def _work(settings: Settings, engine: Engine) -> None:
    await worker.run(engine, settings, worker.until_signalled())


async def _serve(settings: Settings, engine: Engine, with_worker: bool) -> None:
    stop = worker.until_signalled()
    out.print(f"The desk is at {settings.public_address}")
    await worker.together(
        stop,
        serve(create_app(settings, engine), settings, stop),
        *([worker.run(engine, settings, stop)] if with_worker else []),
    )


@app.command()
def poll(config: Config = None) -> None:
    """Read every mailbox once, and file and draft what came."""
    settings, engine = _open(config)
    out.print(f"{worker.poll(engine, settings)} messages fetched.")


@app.command(name="import")
def import_(
    paths: Annotated[list[Path], typer.Argument(help=".eml files, folders of them, mbox files or Maildirs.")],
    config: Config = None,
    community: Slug = "",
) -> None:
    """Import mail from files. Can be interrupted and repeated: what is stored already is passed over."""
    settings, engine = _open(config)
    community_id, chosen = _community(settings, engine, community)
    stored, filed = import_mail(engine, community_id, chosen, paths)
    out.print(f"{stored} new messages stored, {filed} filed.")


def import_mail(engine: Engine, community_id: int, community: CommunitySettings, paths: list[Path]) -> tuple[int, int]:
    """Store what `paths` hold, file what is not filed yet, and draft; returns how many mails were (new, filed)."""
    stored = 0
    with _bar() as bar:
        reading = bar.add_task("Storing", total=count(paths))
        for batch in batched(arrivals(paths), STORE_BATCH):
            with store.transaction(engine) as session:
                stored += receive.store(session, community_id, batch)
            bar.advance(reading, len(batch))
        with store.read(engine) as session:
            left = file.count_unfiled(session, community_id)
        filing = bar.add_task("Filing", total=left)
        # Starting processes takes longer than reading a few mails; Ctrl+C is this process's to answer.
        quiet = partial(signal.signal, signal.SIGINT, signal.SIG_IGN)
        with ProcessPoolExecutor(initializer=quiet) if left > STORE_BATCH else nullcontext() as pool:
            filed = worker.file_all(engine, community_id, community, pool, lambda n: bar.advance(filing, n))
        worker.index_all(engine, community_id)
        with store.read(engine) as session:
            drafting = bar.add_task("Drafting", total=collate.count_waiting(session, community_id))
        worker.draft_all(engine, community_id, lambda n: bar.advance(drafting, n))
    return stored, filed


def batched(mails: Iterator[Arrival], size: int) -> Iterator[list[Arrival]]:
    """Lists of up to `size` mails."""
    while batch := list(islice(mails, size)):
        yield batch


@app.command()
def connect(config: Config = None) -> None:
    """Let the service into its mailbox at Microsoft 365 or Google, once, with anybody's browser."""
    settings = load(config)
    logins = oauth.delegated(settings)
    if not logins:
        raise ConfigError(
            'Neither [imap] nor [smtp] has auth = "xoauth2" and grant = "device_code" or "authorization_code"; '
            "nothing to connect."
        )
    for login in logins:
        out.print(f"For {login.username}:")
        oauth.connect(login, settings, partial(out.print, soft_wrap=True))
        out.print("Connected.")


@app.command()
def members(
    path: Annotated[Path, typer.Argument(help="CSV with email,name,alliance,role,aliases (; between them),naming.")],
    config: Config = None,
    community: Slug = "",
) -> None:
    """Add or update members from a list. Nobody is removed."""
    settings, engine = _open(config)
    community_id, _ = _community(settings, engine, community)
    rows = enrol.read_csv(path)
    with store.transaction(engine) as session:
        done = enrol.members(session, community_id, rows, worker.now())
    out.print(f"{done.added} members added, {done.changed} changed.")


@app.command()
def member(
    email: str,
    active: Annotated[bool, typer.Option("--active/--inactive", help="Whether they take part.")],
    config: Config = None,
    community: Slug = "",
) -> None:
    """Let a member take part again (also one whose mail came back), or no longer: no digest, no sign-in, mail held."""
    settings, engine = _open(config)
    community_id, _ = _community(settings, engine, community)
    with store.transaction(engine) as session:
        found = _member(session, community_id, email)
        enrol.take_part(session, found, active, worker.now())
        if active:
            bounces.mend(session, found, None, worker.now())
    out.print(f"{found.name} {'takes part' if active else 'takes part no longer'}.")


def _member(session: Session, community_id: int, email: str) -> Member:
    found = enrol.find(session, community_id, email)
    if found is None:
        raise ConfigError(f"{email} is not a member; digest members adds people from a list.")
    return found


@app.command(name="export")
def export_(
    out_path: Annotated[Path, typer.Option("--out", help="The file to write.")],
    file_format: Annotated[str, typer.Option("--format", help="jsonl is the only one.")] = "jsonl",
    with_identifiers: Annotated[
        bool, typer.Option("--with-identifiers", help="Patient identifiers in clear: for those with the right to them.")
    ] = False,
    config: Config = None,
    community: Slug = "",
) -> None:
    """Write everything that is stored of a community as JSON lines."""
    if file_format != "jsonl":
        raise ConfigError(f"--format {file_format} is not known; the export is written as jsonl.")
    settings, engine = _open(config)
    community_id, _ = _community(settings, engine, community)
    out.print(f"{write_export(engine, community_id, out_path, with_identifiers)} lines written to {out_path}.")


def write_export(engine: Engine, community_id: int, path: Path, with_identifiers: bool) -> int:
    """Write a community's export to `path`, whole or not at all; returns the number of lines."""
    if path.is_dir():
        raise ConfigError(f"{path} is a folder; name the file to write.")
    part = path.with_name(path.name + ".part")
    number = 0
    with store.read(engine) as session, part.open("w", encoding="utf-8") as file:
        for line in export.lines(session, community_id, with_identifiers):
            file.write(line + "\n")
            number += 1
    part.replace(path)
    return number


@app.command(name="sign-in")
def sign_in(email: str, config: Config = None, community: Slug = "") -> None:
    """Print a sign-in link for a member: for the first coordinator, and when no mail goes out."""
    settings, engine = _open(config)
    community_id, _ = _community(settings, engine, community)
    with store.transaction(engine) as session:
        link = signin.link(session, settings, _member(session, community_id, email), worker.now())
    out.print(link, soft_wrap=True)


@app.command(name="erase")
def erase_(email: str, config: Config = None, community: Slug = "") -> None:
    """Erase a member and everything they wrote. This cannot be undone."""
    settings, engine = _open(config)
    community_id, _ = _community(settings, engine, community)
    with store.transaction(engine) as session:
        found = _member(session, community_id, email)
        for line in erase.outlook(session, found.id).in_words():
            out.print(f"- {line}")
        typer.confirm(f"Erase {found.name} and everything they wrote, for good?", abort=True)
        enrol.take_part(session, found, False, worker.now())
        erase.member(session, found.id, None, worker.now())
    out.print("Erased.")


@app.command()
def health(config: Config = None) -> None:
    """End with 0 when the database answers (for a container's health check)."""
    with store.read(store.connect(load(config).database)) as session:
        session.exec(select(Community.id)).all()


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="Run the whole job once without waiting for a person.")] = False,
    out_dir: Annotated[Path | None, typer.Option("--out", help="With --once: write each mail received here.")] = None,
) -> None:
    """Show the main job on an embedded post office and a sample community."""
    from digest.demo import DemoError, show  # development only: needs pymap and aiosmtpd

    try:
        show(once, out_dir)
    except DemoError as error:
        sys.exit(str(error))
