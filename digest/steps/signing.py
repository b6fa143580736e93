"""Mail is signed as a community's settings say."""

from digest.config import CommunitySettings, ConfigError, Settings
from digest.delivery import dkim


def check_keys(settings: Settings) -> None:
    """Raises ConfigError, one sentence, when a community's mail cannot be signed as the settings say."""
    for community in settings.community:
        key(community)


def key(community: CommunitySettings) -> dkim.Key | None:
    """What the community's mail is signed with; None where the settings name no key. Raises ConfigError."""
    if community.dkim is None:
        return None
    try:
        return dkim.key(community.dkim.domain, community.dkim.selector, community.dkim.pem())
    except ValueError as wrong:
        raise ConfigError(
            f"private_key_file: {community.dkim.private_key_file} {wrong}; make one and name it in [community.dkim]."
        ) from None
