"""The desk behind uvicorn, until somebody says stop."""

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from digest.config import ConfigError, Settings


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn would end the process by that signal as soon as the pages are closed; the mail in hand comes first.
        yield


async def serve(app: ASGIApp, settings: Settings, stop: asyncio.Event) -> None:
    """Serve `app` at `settings.web` until `stop` is set. Raises ConfigError when it cannot listen there."""
    host, port = settings.web.host, settings.web.port
    try:
        listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        said = os.strerror(error.errno) if error.errno else error
        raise ConfigError(f"The desk cannot listen at {host}, port {port} ({said}); change web.port.") from None
    server = _Server(uvicorn.Config(app, log_level="warning", server_header=False, proxy_headers=False))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    server.should_exit = True
    await serving
