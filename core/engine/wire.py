"""Messages between the app and a worker: 4-byte length, then JSON. Knows no meaning of any message (messages.py).

No pickle: whoever takes over a worker can only send data. Imported by both sides; standard library only.
"""

import json
import socket
import struct
from typing import Any

MAX_BYTES = 4 * 2**20
_LENGTH = struct.Struct(">I")

Message = dict[str, Any]


class TooLarge(ValueError):
    """A message over MAX_BYTES, on its way out or announced on its way in."""


def pack(message: Message) -> bytes:
    """One message as bytes. Raises TooLarge."""
    body = json.dumps(message, separators=(",", ":")).encode("ascii")
    if len(body) > MAX_BYTES:
        raise TooLarge(f"a message of {len(body):,} bytes; at most {MAX_BYTES:,} are sent")
    return _LENGTH.pack(len(body)) + body


class Unpacker:
    """Bytes in any pieces to whole messages. Raises TooLarge or ValueError on what no peer of ours would send."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """The messages completed by `data`."""
        self._buffer += data
        found = []
        while len(self._buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer)
            if length > MAX_BYTES:
                raise TooLarge(f"a message of {length:,} bytes was announced; at most {MAX_BYTES:,} are read")
            end = _LENGTH.size + length
            if len(self._buffer) < end:
                break
            try:
                message = json.loads(bytes(self._buffer[_LENGTH.size : end]))
            except RecursionError:
                raise ValueError("a message nested without end") from None
            if not isinstance(message, dict):
                raise ValueError("a message that is no object")
            del self._buffer[:end]
            found.append(message)
        return found


def receive(connection: socket.socket, unpacker: Unpacker) -> list[Message] | None:
    """Block for some bytes; the messages they complete, or None at the end of file."""
    try:
        data = connection.recv(1 << 16)
    except ConnectionError:
        return None
    return unpacker.feed(data) if data else None
