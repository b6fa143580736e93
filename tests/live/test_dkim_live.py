"""Our signatures before another implementation: Perl's Mail::DKIM, which SpamAssassin uses, as Debian has it."""

import base64
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlmodel import select

from digest import store
from digest.config import ConfigError, Dkim
from digest.delivery import dkim
from digest.models import Delivery, Notice
from digest.nouns import DeliveryStatus
from digest.steps import deliver, signing
from tests.delivery.test_dkim import pem
from tests.edition.test_render import every_mail
from tests.live.servers import Dovecot, Postfix, program
from tests.live.test_delivery_live import received, send
from tests.steps.test_publish import MONDAY, approve, tick
from tests.steps.world import NOON, QUESTION, REPLY, World, make

#: Reads a mail, is told what the DNS says, and says whether the signature holds and whose key it asked for.
VERIFY = r"""
use strict; use warnings;
use Mail::DKIM::Verifier; use Net::DNS;
my $public = shift; my $asked = "";
{ package Records; sub new { return bless {}, shift } sub errorstring { return "" }
  sub send {
    my (undef, $name, $type) = @_; $asked = $name if $name =~ /_domainkey/;
    my $packet = Net::DNS::Packet->new($name, $type);
    $packet->push(answer => Net::DNS::RR->new(name => $name, type => "TXT", ttl => 1,
      txtdata => ["v=DKIM1; k=rsa; p=", $public =~ /(.{1,200})/g])) if $name =~ /_domainkey/;
    return $packet } }
Mail::DKIM::DNS::resolver(Records->new);
binmode STDIN; local $/; my $mail = <STDIN>;
my $verifier = Mail::DKIM::Verifier->new; $verifier->PRINT($mail); $verifier->CLOSE;
print $verifier->result, " ", $asked;
"""


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def verdict(mail: bytes, key: rsa.RSAPrivateKey) -> str:
    perl = str(program("perl", "perl"))
    if subprocess.run([perl, "-MMail::DKIM", "-e1"], capture_output=True).returncode:
        pytest.skip("Mail::DKIM is not installed; on Debian: apt-get install libmail-dkim-perl")
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    command = [perl, "-e", VERIFY, base64.b64encode(public).decode()]
    said = subprocess.run(command, input=mail, capture_output=True, timeout=60)
    assert (said.returncode, said.stderr) == (0, b"")
    return said.stdout.decode()


def sign(world: World, key: rsa.RSAPrivateKey, folder: Path) -> None:
    """Have the world's one community sign its mail."""
    file = folder / "dkim.pem"
    file.write_text(pem(key))
    wanted = Dkim(domain="example.org", selector="s1", private_key_file=file)
    community = world.community.model_copy(update={"dkim": wanted})
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
        assert verdict(mail, key) == "pass s1._domainkey.example.org"
    edition = posted[-1]
    for touched in (
        edition.replace(b"Precedence: bulk", b"Precedence: list"),
        edition.replace(b"\r\n\r\n", b"\r\nFrom: other@example.net\r\n\r\n", 1),
        edition.replace(b"kit", b"kip", 1),
    ):
        assert touched != edition
        assert verdict(touched, key).startswith("fail")
    world.engine.dispose()


def test_what_servers_do_to_white_space_on_the_way_breaks_no_signature(key: rsa.RSAPrivateKey) -> None:
    for mail in every_mail():
        made = dkim.key("example.org", "s1", pem(key)).header(mail) + mail
        assert verdict(made, key).startswith("pass")
        assert verdict(made + b"\r\n\r\n", key).startswith("pass")
        assert verdict(made.replace(b"\r\nSubject: ", b"\r\nSUBJECT:\r\n  ", 1), key).startswith("pass")


def test_a_signature_holds_in_the_mailbox_behind_a_real_mail_server(
    dovecot: Dovecot, postfix: Postfix, key: rsa.RSAPrivateKey
) -> None:
    for mail in every_mail():
        dovecot.empty()
        made = dkim.key("example.org", "s1", pem(key)).header(mail) + mail
        [outcome] = send(postfix.settings(), "asha.patel@surgery.example.org", wire=made)
        assert outcome.status is DeliveryStatus.SENT
        [arrived] = received(dovecot, "members", 1)
        assert arrived.startswith(b"Return-Path:")
        assert verdict(arrived, key) == "pass s1._domainkey.example.org"


def test_a_key_that_is_not_there_stops_the_service_with_one_sentence(tmp_path: Path) -> None:
    world = make("", tmp_path)
    wanted = Dkim(domain="example.org", selector="s1", private_key_file=tmp_path / "missing.pem")
    community = world.community.model_copy(update={"dkim": wanted})
    settings = world.settings.model_copy(update={"community": (community,)})
    with pytest.raises(ConfigError, match=r"missing\.pem cannot be read"):
        signing.check_keys(settings)
    (tmp_path / "missing.pem").write_text("nonsense")
    with pytest.raises(ConfigError, match=r"missing\.pem is no private key"):
        signing.check_keys(settings)
    world.engine.dispose()
