"""Mailing digests for a closed community of practice: from a flurry of replies to one good mail."""
