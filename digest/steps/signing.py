"""Mail is signed as a community's settings say."""

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from digest.config import CommunitySettings, ConfigError, Settings
from digest.edition import dkim


def check_keys(settings: Settings) -> None:
    """Raises ConfigError, one sentence, when a community's mail cannot be signed as the settings say."""
    for community in settings.community:
        _key(community)


def signed(settings: Settings, slug: str, mail: bytes) -> bytes:
    """A community's mail with its DKIM signature, or as it is where the settings name no key."""
    community = settings.of(slug)
    key = _key(community)
    return dkim.signed(mail, community.dkim.domain, community.dkim.selector, key) if community.dkim and key else mail


def _key(community: CommunitySettings) -> RSAPrivateKey | None:
    if community.dkim is None:
        return None
    try:
        return dkim.private_key(community.dkim.pem())
    except ValueError as wrong:
        raise ConfigError(
            f"private_key_file: {community.dkim.private_key_file} {wrong}; make one and name it in [community.dkim]."
        ) from None
