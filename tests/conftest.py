"""What holds for every test."""

import os
from collections.abc import Iterator
from contextlib import ExitStack

import hypothesis
import pytest

from digest import store
from tests.live import servers
from tests.steps import world

# No example is timed: a busy machine is no fault. On CI, hypothesis's own profile draws the same examples each time.
hypothesis.settings.register_profile("untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
if "CI" not in os.environ:
    hypothesis.settings.load_profile("untimed")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--postgresql",
        action="store_true",
        help="make each test's community on a PostgreSQL that is started for the run, instead of SQLite",
    )


@pytest.fixture(scope="session")
def pattern(request: pytest.FixtureRequest) -> Iterator[servers.Postgres | None]:
    """With --postgresql: a server whose database `pattern` has today's schema and nothing in it."""
    if not request.config.getoption("--postgresql"):
        yield None
        return
    with ExitStack() as stack:
        try:
            server = stack.enter_context(servers.postgresql())
        except pytest.skip.Exception as missing:
            pytest.exit(f"--postgresql: {missing}", returncode=1)
        server.admin("CREATE DATABASE pattern")
        engine = store.connect(server.url("pattern"))
        store.migrate(engine)
        engine.dispose()
        yield server


@pytest.fixture(scope="module", autouse=True)
def fresh_databases(pattern: servers.Postgres | None) -> Iterator[None]:
    """Whatever community a test makes has a database of its own, which goes with the test's file."""
    if pattern is None:
        yield
        return
    made: list[str] = []

    def fresh() -> str:
        made.append(f"test_{len(made)}")
        pattern.admin(f"CREATE DATABASE {made[-1]} TEMPLATE pattern")
        return pattern.url(made[-1])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world, "elsewhere", fresh)
        yield
    for name in made:
        pattern.admin(f"DROP DATABASE {name} WITH (FORCE)")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """With NO_SKIPS in the environment (.ci/run), a run that left a test out has failed."""
    if os.environ.get("NO_SKIPS") and session.exitstatus == 0 and _skipped(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests were left out; pytest itself says why (-ra)."""
    if skipped := _skipped(terminalreporter.config):
        must = ", and NO_SKIPS makes that a failure" if os.environ.get("NO_SKIPS") else ""
        terminalreporter.write_line(f"Tests not run: {skipped}{must}. The reasons stand below, after SKIPPED.")


def _skipped(config: pytest.Config) -> int:
    reporter: pytest.TerminalReporter | None = config.pluginmanager.get_plugin("terminalreporter")
    return len(reporter.stats.get("skipped", [])) if reporter else 0
