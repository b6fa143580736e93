"""What holds for every test."""

import os

import hypothesis
import pytest

# No example is timed: a busy machine is no fault. On CI, hypothesis's own profile draws the same examples each time.
hypothesis.settings.register_profile("untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
if "CI" not in os.environ:
    hypothesis.settings.load_profile("untimed")


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
