"""The live tests' servers. Every test in this folder is marked `live`; a server that is missing skips what needs it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live import servers
from tests.live.servers import Certificate, Dovecot, Postfix, Postgres

#: What the service of the live tests reads and sends as; mail to either lands in its mailbox.
STREAM, SENDER = "stream@example.org", "digest@example.org"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("live")


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Certificate]:
    """A certificate for the loopback address, signed by itself."""
    with servers.server_folder("certificate") as folder:
        yield servers.certificate(folder)


@pytest.fixture(scope="session")
def one_dovecot(certificate: Certificate) -> Iterator[Dovecot]:
    """A Dovecot for the whole run; a test wants `dovecot`."""
    with servers.dovecot([STREAM, SENDER], certificate) as server:
        yield server


@pytest.fixture(scope="session")
def one_postfix(one_dovecot: Dovecot) -> Iterator[Postfix]:
    """A Postfix for the whole run; a test wants `postfix`."""
    with servers.postfix(one_dovecot) as server:
        yield server


@pytest.fixture
def dovecot(one_dovecot: Dovecot) -> Dovecot:
    """Dovecot with empty mailboxes: one for STREAM and SENDER, one, "members", for everybody else."""
    one_dovecot.empty()
    return one_dovecot


@pytest.fixture
def postfix(one_postfix: Postfix, dovecot: Dovecot) -> Iterator[Postfix]:
    """Postfix in front of `dovecot`."""
    yield one_postfix
    one_postfix.settle()  # so that nothing of this test arrives in the next


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgres]:
    """A PostgreSQL for the whole run; a test wants `postgres`."""
    with servers.postgresql() as server:
        yield server


@pytest.fixture
def postgres(postgresql: Postgres) -> Iterator[str]:
    """The address (`database_url`) of a fresh PostgreSQL database."""
    with postgresql.database() as url:
        yield url
