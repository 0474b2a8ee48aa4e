"""What the tests' own servers have in common: an HTTP server in a thread, on a free port of 127.0.0.1."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def running(handler: type[BaseHTTPRequestHandler], gate: threading.Event) -> Iterator[str]:
    """The address of such a server, running; at the end `gate` opens, so that nobody waits behind it for ever."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        gate.set()
        server.shutdown()
        server.server_close()
        thread.join()
