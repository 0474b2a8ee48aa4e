"""One secret that a team shares: what it is, whether it was given, who gave it lately, who tries too often.

Pure: knows no request and no page. Whoever gave the secret gets a token, signed with it, that holds for HOURS: another
secret ends every token. There are no names, and everybody who came in may do everything.
"""

import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from itsdangerous import BadData, TimestampSigner

from core.errors import Problem

COOKIE: Final = "rr_signed_in"
HOURS: Final = 12
LEAST: Final = 12  # characters of a secret
FREE: Final = 5  # wrong secrets before one has to wait
LONGEST_S: Final = 60.0
FORGOTTEN_S: Final = 900.0
MOST: Final = 10_000  # addresses remembered


@dataclass(frozen=True)
class Gate:
    """The shared secret at work."""

    secret: str = field(repr=False)

    def opens(self, given: str) -> bool:
        """Whether that is the secret; takes as long for a wrong one."""
        return hmac.compare_digest(given.strip().encode("utf-8", "replace"), self.secret.encode())

    def token(self) -> str:
        """Proof that somebody gave the secret now."""
        return self._signer.sign(secrets.token_urlsafe(9)).decode()

    def holds(self, token: str) -> bool:
        """Whether that is a token of ours that is not yet too old."""
        try:
            self._signer.unsign(token, max_age=HOURS * 3600)
        except BadData:
            return False
        return True

    @property
    def _signer(self) -> TimestampSigner:
        return TimestampSigner(self.secret, salt="sign-in", digest_method=hashlib.sha256, key_derivation="hmac")


def gate(environ: Mapping[str, str]) -> Gate | None:
    """What RR_SECRET_FILE or RR_SECRET asks for; None when neither is set.

    Raises Problem on a file that cannot be read and a short secret: a server that was meant to be closed never opens.
    """
    if "RR_SECRET_FILE" in environ:
        try:
            secret = Path(environ["RR_SECRET_FILE"]).read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            raise Problem(f"RR_SECRET_FILE cannot be read ({getattr(error, 'strerror', 'it is not text')}).") from error
    elif "RR_SECRET" in environ:
        secret = environ["RR_SECRET"].encode("utf-8", "replace").decode().strip()
    else:
        return None
    if len(secret) < LEAST:
        raise Problem(f"The shared secret has {len(secret)} characters: it needs at least {LEAST}.")
    return Gate(secret)


class Attempts:
    """Wrong secrets by address: FREE of them, then each doubles the wait, up to LONGEST_S. Times in seconds."""

    def __init__(self) -> None:
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()  # how many, the last one when

    def wait(self, address: str, now: float) -> float:
        """How long until that address may try again; 0 when it may now."""
        count, last = self._wrong.get(address, (0, now))
        if count < FREE:
            return 0.0
        return max(0.0, last + min(LONGEST_S, 2.0 ** min(count - FREE, 10)) - now)

    def wrong(self, address: str, now: float) -> None:
        """Note a wrong secret."""
        count, last = self._wrong.pop(address, (0, now))
        self._wrong[address] = (1 if now - last > FORGOTTEN_S else count + 1, now)
        if len(self._wrong) > MOST:
            self._wrong.popitem(last=False)

    def right(self, address: str) -> None:
        """Forget what was wrong before."""
        self._wrong.pop(address, None)
