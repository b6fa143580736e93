"""Our signatures before another implementation: the Python library dkimpy, as Debian's own Python has it."""

import base64
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from sqlmodel import select

from digest import store
from digest.config import ConfigError, Dkim
from digest.edition.dkim import signed
from digest.models import Delivery, Notice
from digest.steps import deliver, signing
from tests.edition.test_render import every_mail
from tests.live.servers import program
from tests.steps.test_publish import MONDAY, approve, tick
from tests.steps.world import NOON, QUESTION, REPLY, World, make

#: Reads a mail, with its DNS answer in the arguments, and says whether the signature holds.
VERIFY = """
import base64, sys, dkim
record = b"v=DKIM1; k=rsa; p=" + sys.argv[1].encode()
asked = []
def dns(name, timeout=5):
    asked.append(name)
    return record
good = dkim.verify(sys.stdin.buffer.read(), dnsfunc=dns)
print(good, asked[0].decode() if asked else "")
"""


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def verdict(mail: bytes, key: rsa.RSAPrivateKey) -> str:
    program("dkimverify", "python3-dkim")
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    command = ["/usr/bin/python3", "-c", VERIFY, base64.b64encode(public).decode()]
    return subprocess.run(command, input=mail, capture_output=True, check=True, timeout=60).stdout.decode().strip()


def sign(world: World, key: rsa.RSAPrivateKey, folder: Path) -> None:
    """Have the world's one community sign its mail."""
    file = folder / "dkim.pem"
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    dkim = Dkim(domain="example.org", selector="s1", private_key_file=file)
    community = world.community.model_copy(update={"dkim": dkim})
    world.settings = world.settings.model_copy(update={"community": (community,)})


def test_everything_the_outbox_hands_over_is_signed_and_holds(tmp_path: Path, key: rsa.RSAPrivateKey) -> None:
    world = make("", tmp_path)
    sign(world, key, tmp_path)
    signing.check_keys(world.settings)
    world.receive(QUESTION, REPLY)
    tick(world, NOON)
    tick(world, MONDAY - timedelta(hours=24))
    approve(world, MONDAY - timedelta(hours=2))
    tick(world, MONDAY)
    with store.read(world.engine) as session:
        rows = [deliver.Claim(table, id, NOON) for table in (Notice, Delivery) for id in session.exec(select(table.id))]
        posted = [mail.wire for _, mail in deliver.mails(session, world.settings, rows, {}, NOON)]
    assert len(posted) == 5  # the edition to four, and "an edition waits" to the coordinator
    for mail in posted:
        assert verdict(mail, key) == "True s1._domainkey.example.org."
    edition = posted[-1]
    for touched in (
        edition.replace(b"Precedence: bulk", b"Precedence: list"),
        edition.replace(b"\r\n\r\n", b"\r\nFrom: other@example.net\r\n\r\n", 1),
        edition.replace(b"kit", b"kip", 1),
    ):
        assert touched != edition
        assert verdict(touched, key).startswith("False")
    world.engine.dispose()


def test_what_servers_do_to_white_space_on_the_way_breaks_no_signature(key: rsa.RSAPrivateKey) -> None:
    for mail in every_mail():
        made = signed(mail, "example.org", "s1", key)
        assert verdict(made, key).startswith("True")
        assert verdict(made + b"\r\n\r\n", key).startswith("True")
        assert verdict(made.replace(b"\r\nSubject: ", b"\r\nSUBJECT:\r\n  ", 1), key).startswith("True")


def test_a_key_that_is_not_there_stops_the_service_with_one_sentence(tmp_path: Path) -> None:
    world = make("", tmp_path)
    dkim = Dkim(domain="example.org", selector="s1", private_key_file=tmp_path / "missing.pem")
    community = world.community.model_copy(update={"dkim": dkim})
    settings = world.settings.model_copy(update={"community": (community,)})
    with pytest.raises(ConfigError, match=r"missing\.pem cannot be read"):
        signing.check_keys(settings)
    (tmp_path / "missing.pem").write_text("nonsense")
    with pytest.raises(ConfigError, match=r"missing\.pem is no private key"):
        signing.check_keys(settings)
    world.engine.dispose()
