"""Real servers for the live tests: Dovecot, Postfix and PostgreSQL, each in its own folder, on free loopback ports.

Nothing of the system's own configuration is read or changed. Every server is stopped by its own process, and its folder
removed. Dovecot and Postfix drop rights while they run, so they must be started as root.
"""

import os
import pwd
import random
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from digest.config import Imap, Smtp
from tests.identity import Provider

HOST = "127.0.0.1"
START_SECONDS = 20.0
SYSTEM_FOLDERS = "/usr/sbin:/usr/local/sbin:/sbin"  # where Debian keeps servers, beside the PATH
PASSWORD = "not-a-secret"


def program(name: str, package: str, also_in: str = "") -> Path:
    """The program's path; skips the test, naming Debian's package, when it is not here."""
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), SYSTEM_FOLDERS, also_in]))
    if found is None:
        pytest.skip(f"{name} is not installed; on Debian: apt-get install {package}")
    return Path(found)


def as_root(server: str) -> None:
    """Skips the test for an ordinary user."""
    if os.geteuid() != 0:
        pytest.skip(f"{server} can only be started by root; run scripts/test as root")


def free_port() -> int:
    """A port nobody listens on, from below those the system gives to outgoing connections."""
    while True:
        port = random.randint(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port


def until(true: Callable[[], object], what: str, seconds: float = START_SECONDS) -> None:
    """Wait for something to become true; fails the test, saying what did not happen."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            pytest.fail(f"{what} did not happen within {seconds:g} seconds")
        time.sleep(0.02)


def answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


@contextmanager
def server_folder(name: str) -> Iterator[Path]:
    """A folder that a server's unprivileged processes can enter too, which pytest's own cannot be."""
    folder = Path(tempfile.mkdtemp(prefix=f"digest-{name}-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate for the loopback address: its own authority."""

    file: Path
    key: Path


def certificate(folder: Path, name: str = "server") -> Certificate:
    made = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
    subject = f"-nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:{HOST},DNS:localhost".split()
    kind = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    command = [program("openssl", "openssl"), *kind, *subject, "-keyout", made.key, "-out", made.file]
    subprocess.run([str(part) for part in command], check=True, capture_output=True)
    return made


# --- Dovecot -----------------------------------------------------------------------------------------------------

DOVECOT = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
listen = {host}
protocols = imap lmtp
ssl = required
ssl_cert = <{certificate.file}
ssl_key = <{certificate.key}
auth_mechanisms = plain login {mechanisms}
auth_failure_delay = 0
first_valid_uid = 1
mail_location = maildir:~/Maildir
mail_max_userip_connections = 100
{tokens}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {folder}/users
}}
userdb {{
  driver = passwd-file
  args = username_format=%u {folder}/users
}}
# Everybody else's mail goes into one mailbox, each with a Delivered-To header that says whose it is.
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/members allow_all_users=yes
}}
service imap-login {{
  inet_listener imap {{
    port = {starttls_port}
  }}
  inet_listener imaps {{
    port = {imap_port}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp_port}
  }}
}}
service auth {{
  inet_listener {{
    port = {auth_port}
  }}
}}
protocol lmtp {{
  postmaster_address = postmaster@example.org
}}
"""

#: How Dovecot is told to ask an identity provider about the tokens it is shown.
TOKENS = """
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {folder}/oauth2.conf
}}
"""
INTROSPECTION = """
introspection_mode = get
introspection_url = https://{host}:{provider.port}/introspect?token=
tls_ca_cert_file = {provider.certificate}
username_attribute = username
active_attribute = active
active_value = true
"""


@dataclass
class Dovecot:
    """A running Dovecot: the mailbox of `addresses` (the service's), and one for everybody else, "members"."""

    addresses: Sequence[str]
    folder: Path
    certificate: Certificate
    imap_port: int = field(default_factory=free_port)  # TLS from the start
    starttls_port: int = field(default_factory=free_port)
    lmtp_port: int = field(default_factory=free_port)
    auth_port: int = field(default_factory=free_port)  # for Postfix
    process: subprocess.Popen[bytes] | None = None

    def settings(self, user: str = "", **changed: object) -> Imap:
        """Settings that read `user`'s INBOX over TLS: the service's own unless "members" is asked for."""
        return Imap.model_validate(
            {"host": HOST, "port": self.imap_port, "security": "tls", "ca_file": self.certificate.file, "timeout": 10}
            | {"username": user or self.addresses[0], "password": PASSWORD}
            | changed
        )

    def start(self) -> None:
        with (self.folder / "dovecot.stderr").open("ab") as errors:
            self.process = subprocess.Popen(
                [program("dovecot", "dovecot-imapd"), "-F", "-c", self.folder / "dovecot.conf"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
            )
        until(lambda: answers(self.imap_port) and answers(self.lmtp_port), "Dovecot's start")

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(START_SECONDS)
            self.process = None

    def empty(self) -> None:
        """Delete every mail in both mailboxes."""
        for user in (self.addresses[0], "members"):
            command = [str(program("doveadm", "dovecot-core")), "-c", str(self.folder / "dovecot.conf")]
            subprocess.run([*command, "expunge", "-u", user, "mailbox", "INBOX", "all"], check=True)

    def log(self) -> str:
        files = (self.folder / "dovecot.log", self.folder / "dovecot.stderr")
        return "\n".join(file.read_text(errors="replace") for file in files if file.exists())


@contextmanager
def dovecot(addresses: Sequence[str], made: Certificate, provider: Provider | None = None) -> Iterator[Dovecot]:
    """A running Dovecot with an empty mailbox for `addresses` and one for everybody else.

    With `provider`, it also lets those in who show one of the provider's tokens (XOAUTH2).
    """
    program("dovecot", "dovecot-imapd")
    if not Path("/usr/lib/dovecot/lmtp").exists():
        pytest.skip("Dovecot's LMTP server is not installed; on Debian: apt-get install dovecot-lmtpd")
    as_root("Dovecot")
    nobody = pwd.getpwnam("nobody")
    with server_folder("dovecot") as folder:
        server = Dovecot(addresses, folder, made)
        mail = folder / "mail"
        mail.mkdir()
        os.chown(mail, nobody.pw_uid, nobody.pw_gid)
        own = f"{{PLAIN}}{PASSWORD}:{nobody.pw_uid}:{nobody.pw_gid}::{mail}"
        users = [f"{address}:{own}/service" for address in addresses] + [f"members:{own}/members"]
        (folder / "users").write_text("\n".join(users) + "\n")
        (folder / "dovecot.conf").write_text(
            DOVECOT.format(
                **vars(server),
                host=HOST,
                uid=nobody.pw_uid,
                gid=nobody.pw_gid,
                mechanisms="xoauth2" if provider else "",
                tokens=TOKENS.format(folder=folder) if provider else "",
            )
        )
        if provider:
            (folder / "oauth2.conf").write_text(INTROSPECTION.format(host=HOST, provider=provider))
        try:
            server.start()
            yield server
        finally:
            server.stop()


# --- Postfix -----------------------------------------------------------------------------------------------------

POSTFIX_MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/postfix.log
maillog_file_prefixes = {folder}
inet_interfaces = {host}
inet_protocols = ipv4
myhostname = post.example.org
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
virtual_mailbox_domains = static:all
virtual_transport = lmtp:inet:{host}:{lmtp_port}
lmtp_destination_concurrency_limit = 5
transport_maps = inline:{{ {{ practice.example.org = smtp:[{host}]:{next_port} }} }}
message_size_limit = 20000000
smtpd_tls_security_level = may
smtpd_tls_cert_file = {certificate.file}
smtpd_tls_key_file = {certificate.key}
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:{host}:{auth_port}
smtpd_tls_auth_only = yes
smtpd_client_connection_rate_limit = 0
smtpd_error_sleep_time = 0
smtpd_recipient_restrictions = check_recipient_access inline:{{
  {{ nobody@example.org = 550 5.1.1 no such person }},
  {{ busy@example.org = 450 4.2.0 try again later }} }}, permit
"""
POSTFIX_MASTER = """
{host}:{smtp_port} inet n - n - - smtpd
postlog unix-dgram n - n - 1 postlogd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
lmtp unix - - n - - lmtp
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
"""


@dataclass
class Postfix:
    """A running Postfix that offers STARTTLS and AUTH, and hands anybody's mail to a Dovecot.

    It refuses nobody@example.org for good and busy@example.org for now, and hands mail to practice.example.org on to
    whatever listens on `next_port`.
    """

    folder: Path
    certificate: Certificate
    lmtp_port: int
    auth_port: int
    smtp_port: int = field(default_factory=free_port)
    next_port: int = field(default_factory=free_port)

    def settings(self, **changed: object) -> Smtp:
        """Settings that send through it over STARTTLS, without signing in, as fast as it takes mail."""
        return Smtp.model_validate(
            {"host": HOST, "port": self.smtp_port, "security": "starttls", "ca_file": self.certificate.file}
            | {"messages_per_minute": 60_000, "timeout": 20}
            | changed
        )

    def run(self, name: str, argument: str) -> str:
        """What one of Postfix's commands says."""
        command = [str(program(name, "postfix")), "-c", str(self.folder / "etc"), argument]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            pytest.fail(f"{name} {argument}: {done.stdout}{done.stderr}{self.log()}")
        return done.stdout

    def settle(self) -> None:
        """Wait until everything it took has been handed over."""
        until(lambda: "queue is empty" in self.run("postqueue", "-p"), "the emptying of Postfix's queue")

    def log(self) -> str:
        file = self.folder / "postfix.log"
        return file.read_text(errors="replace") if file.exists() else ""


@contextmanager
def postfix(behind: Dovecot) -> Iterator[Postfix]:
    """A running Postfix in front of `behind`."""
    program("postfix", "postfix")
    as_root("Postfix")
    with server_folder("postfix") as folder:
        server = Postfix(folder, behind.certificate, behind.lmtp_port, behind.auth_port)
        for name in ("etc", "queue", "data"):
            (folder / name).mkdir()
        shutil.chown(folder / "data", "postfix")
        (folder / "etc" / "main.cf").write_text(POSTFIX_MAIN.format(**vars(server), host=HOST))
        (folder / "etc" / "master.cf").write_text(POSTFIX_MASTER.format(**vars(server), host=HOST))
        server.run("postfix", "start")
        try:
            until(lambda: answers(server.smtp_port), "Postfix's start")
            yield server
        finally:
            server.run("postfix", "stop")


# --- PostgreSQL --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Postgres:
    """A running PostgreSQL with no data worth keeping."""

    port: int

    def url(self, database: str) -> str:
        return f"postgresql://postgres@{HOST}:{self.port}/{database}"

    def admin(self, statement: str) -> None:
        """Say something to the server itself."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as admin:
            admin.execute(statement.encode())

    @contextmanager
    def database(self) -> Iterator[str]:
        """The address of a fresh database, dropped afterwards."""
        name = f"digest_{random.getrandbits(64):016x}"
        self.admin(f"CREATE DATABASE {name}")
        try:
            yield self.url(name)
        finally:
            self.admin(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def postgresql() -> Iterator[Postgres]:
    """A running PostgreSQL of its own."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    newest = str(versions[-1]) if versions else ""
    initdb, pg_ctl = (program(name, "postgresql", also_in=newest) for name in ("initdb", "pg_ctl"))
    user = "postgres" if os.geteuid() == 0 else None  # the server refuses to be root
    with server_folder("postgres") as folder:
        server, data = Postgres(free_port()), folder / "data"
        if user:
            shutil.chown(folder, user)

        def run(*command: object) -> None:
            with (folder / "output").open("ab") as output:  # no pipe: the server would keep it open
                arguments = [str(part) for part in command]
                done = subprocess.run(arguments, user=user, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
            if done.returncode != 0:
                pytest.fail(f"{command[0]}: {(folder / 'output').read_text(errors='replace')}")

        run(initdb, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        options = f"-p {server.port} -c listen_addresses={HOST} -c unix_socket_directories={folder} -c fsync=off"
        run(pg_ctl, "-D", data, "-w", "-o", options, "start")
        try:
            yield server
        finally:
            run(pg_ctl, "-D", data, "-w", "-m", "immediate", "stop")
