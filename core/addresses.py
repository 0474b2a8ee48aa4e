"""Addresses of servers, and the keys for them: what may be typed, where a key comes from, where it may go.

Sends nothing. Whoever edits a project names address and key's variable. On one's own machine that is all; where RR_KEYS
is set, even empty, as the app has it where people sign in, a key goes only to the servers that it is paired with there.
"""

import os
import re
import urllib.parse
from typing import Final

from core.errors import Problem
from core.text import one_line

LONGEST: Final = 300
KEY_VARIABLE: Final = re.compile(r"[A-Z][A-Z0-9_]*_API_KEY")  # no other secret of the environment is sent anywhere
KEYS: Final = "RR_KEYS"  # NAME=ADDRESS, separated by commas or spaces
Server = tuple[str, str, int]  # scheme, host, port


def check(address: str, like: str = "http://127.0.0.1:8000/v1") -> None:
    """Raises Problem on what is no address of a server. `like`: an example of one."""
    try:
        parts = urllib.parse.urlsplit(address)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none, half an IPv6 address
        usable = False
    if not usable or len(address) > LONGEST or not address.isprintable() or " " in address:
        raise Problem(
            f"'{one_line(address, 80)}' is no address of an endpoint: it begins with http:// or https://, like {like}."
        )
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise Problem(
            "An endpoint's address holds no name, password, ? or #: a key comes from an environment variable alone."
        )


def check_variable(name: str | None) -> None:
    """Raises Problem when a key may not be taken from the variable of that name; none is wanted when it is empty."""
    if name and not KEY_VARIABLE.fullmatch(name):
        raise Problem(
            f"'{one_line(name, 60)}' is no key's variable: name one that ends in _API_KEY, like OPENAI_API_KEY; type "
            "no key here."
        )


def check_pair(variable: str | None, address: str) -> None:
    """Raises Problem when the key in that variable may not be sent to that address."""
    check_variable(variable)
    pairs = allowed()
    if variable and pairs is not None and _server(address) not in pairs.get(variable, ()):
        raise Problem(
            f"The key in {variable} may not be sent to {one_line(address, 80)}: on this server {KEYS} says where each "
            f"key may go. Whoever runs it adds {variable}=ADDRESS there."
        )


def allowed() -> dict[str, set[Server]] | None:
    """The servers that RR_KEYS pairs each key's variable with; None where it is not set and every pair may be.

    Raises Problem on what is no pair.
    """
    if KEYS not in os.environ:
        return None
    pairs: dict[str, set[Server]] = {}
    for part in os.environ[KEYS].replace(",", " ").split():
        name, _, address = part.partition("=")
        try:
            check_variable(name)
            check(address)
        except Problem as problem:
            raise Problem(f"{KEYS} holds '{one_line(part, 80)}', not NAME=ADDRESS. {problem.message}") from problem
        if not name:
            raise Problem(f"{KEYS} holds '{one_line(part, 80)}', not NAME=ADDRESS.")
        pairs.setdefault(name, set()).add(_server(address))
    return pairs


def _server(address: str) -> Server:
    parts = urllib.parse.urlsplit(address)
    return parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def key(variable: str | None, address: str) -> str | None:
    """The key in that environment variable; None where none is named. Raises Problem when it holds none."""
    if not variable:
        return None
    check_pair(variable, address)
    found = os.environ.get(variable, "").strip()
    if not found or not found.isascii() or not found.isprintable():
        raise Problem(
            f"The environment variable {variable} holds no key for {address}: set it before the app or command is "
            "started. Keys are kept nowhere else."
        )
    return found
