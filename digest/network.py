"""What reading and sending mail have in common: which certificates we trust, and plain words for what can go wrong."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from errno import ECONNREFUSED
from socket import gaierror

from digest.config import ConfigError, Imap, Smtp


def certificates(login: Imap | Smtp) -> ssl.SSLContext:
    """TLS as this login wants it: certificate and host name checked, `ca_file` trusted besides the system's.

    Raises ConfigError when `ca_file` cannot be used.
    """
    context = ssl.create_default_context()
    if login.ca_file is not None:
        setting = f"{section(login)}.ca_file"
        try:
            context.load_verify_locations(login.ca_file)
        except ssl.SSLError:
            raise ConfigError(f"{setting}: {login.ca_file} holds no certificate in PEM form; check the file.") from None
        except OSError as error:
            why = error.strerror or str(error)
            raise ConfigError(f"{setting}: {login.ca_file} cannot be read ({why}); check the path.") from None
    return context


def section(login: Imap | Smtp) -> str:
    """The settings' table in config.toml: "imap" or "smtp"."""
    return "imap" if isinstance(login, Imap) else "smtp"


def reason(error: BaseException, login: Imap | Smtp) -> str:
    """One sentence for a failed connection: which server, what went wrong, what to do. Names no account, no secret."""
    name, where = section(login), f"The mail server {login.host} (port {login.port})"
    causes = list(_causes(error))
    for cause in causes:
        # asyncio joins the failures of a host with several addresses into one text (errno is lost).
        if type(cause) is OSError and f"Errno {ECONNREFUSED}]" in str(cause):
            cause = ConnectionRefusedError()
        match cause:
            case ssl.SSLCertVerificationError():
                return (
                    f"{where} shows a certificate that cannot be trusted ({cause.verify_message.rstrip('.')}); check "
                    f"{name}.host, or name its authority's certificate in {name}.ca_file."
                )
            case ssl.SSLError():
                return f"{where} does not speak TLS there; check {name}.port and {name}.security."
            case gaierror() | UnicodeError():  # the latter for what cannot be a host's name at all
                return f"The mail server {login.host} is not known to the DNS; check {name}.host and the network."
            case ConnectionRefusedError():
                return f"{where} refuses the connection; check {name}.host and {name}.port, and that it runs."
            case TimeoutError():
                return f"{where} did not answer within {login.timeout:g} seconds; check {name}.host and the network."
    if any(isinstance(cause, ConnectionError) for cause in causes) or not any(isinstance(c, OSError) for c in causes):
        return f"{where} closed the connection; check {name}.security if this does not pass by itself."
    words = next((cause.strerror for cause in causes if isinstance(cause, OSError) and cause.strerror), None)
    return f"{where} cannot be reached ({words or type(error).__name__}); check {name}.host and the network."


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it was raised from, the deepest first: libraries wrap what the system said."""
    if error is not None:
        yield from _causes(error.__cause__ or error.__context__)
        yield error


@contextmanager
def configured(failure: type[Exception]) -> Iterator[None]:
    """A ConfigError met on the way (a secret's file is gone) becomes `failure`, with the same sentence."""
    try:
        yield
    except ConfigError as error:
        raise failure(str(error)) from None
