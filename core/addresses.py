"""Addresses of servers, and the keys for them: what may be typed, and where a key comes from. Sends nothing."""

import os
import re
import urllib.parse
from typing import Final

from core.errors import Problem
from core.text import one_line

LONGEST: Final = 300
KEY_VARIABLE: Final = re.compile(r"[A-Z][A-Z0-9_]*_API_KEY")  # no other secret of the environment is sent anywhere


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


def key(variable: str | None, address: str) -> str | None:
    """The key in that environment variable; None where none is named. Raises Problem when it holds none."""
    if not variable:
        return None
    check_variable(variable)
    found = os.environ.get(variable, "").strip()
    if not found or not found.isascii() or not found.isprintable():
        raise Problem(
            f"The environment variable {variable} holds no key for {address}: set it before the app or command is "
            "started. Keys are kept nowhere else."
        )
    return found
