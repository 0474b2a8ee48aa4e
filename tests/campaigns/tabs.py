"""300 tabs opened and closed, twice, by a server of 1,024 file handles: it goes on, and gets all of them back.

    python tests/campaigns/tabs.py [--tabs 300] [--rounds 2] [--handles 1024] [--write]

A tab here is what the server sees of one: the page asked for, Streamlit's websocket opened, its first page run to the
end, the connection held. While all are open the server must still give out its own files and answer /healthz; whoever
finds no room must be asked to wait (503). Then all are closed and the handles waited for. With --write the result is
kept in tabs.json while it grows.
"""

import argparse
import asyncio
import resource
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import psutil  # noqa: E402
from streamlit.proto.BackMsg_pb2 import BackMsg  # noqa: E402
from streamlit.proto.ClientState_pb2 import ClientState  # noqa: E402
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg  # noqa: E402
from websockets.asyncio.client import ClientConnection, connect  # noqa: E402

from tests.browser.conftest import Server  # noqa: E402
from tests.campaigns.keeping import Keeper  # noqa: E402

PART = "tabs"
EVERY = 50
SETTLED_S = 300.0
LOOK_S = 60.0  # Streamlit keeps 128 sessions for those who come back within two minutes, and clears when one more ends;
# each look is such a session itself, with four handles: every 15 seconds they were 25 of the 42 handles left
AT_ONCE = 4
NEAR = 16  # handles: what the first page ever made for good (database, heartbeat) is no leak


def got(url: str, accept: str) -> int:
    """The status of a request; 0 when there is no answer."""
    try:
        asked = urllib.request.Request(url, headers={"accept": accept})
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


async def tab(server: Server) -> tuple[int, ClientConnection | None]:
    """Open one: the page's status, and the connection once its page has run."""
    status = await asyncio.to_thread(got, server.url, "text/html")
    if status != 200:
        return status, None
    address = f"ws://127.0.0.1:{server.port}/_stcore/stream"
    made = await connect(address, subprotocols=["streamlit"], origin=server.url, max_size=None, open_timeout=120)  # type: ignore[list-item,arg-type]
    await made.send(BackMsg(rerun_script=ClientState()).SerializeToString())
    async with asyncio.timeout(300):
        while True:
            said = ForwardMsg.FromString(await made.recv())  # type: ignore[arg-type]
            if said.WhichOneof("type") == "script_finished":
                return status, made


def seen(server: Server) -> dict[str, float]:
    process = psutil.Process(server.process.pid)
    return {
        "handles": process.num_fds(),
        "threads": process.num_threads(),
        "mb": round(process.memory_info().rss / 1e6, 1),
    }


def healthy(server: Server) -> bool:
    return got(f"{server.url}/healthz", "*/*") == 200 and got(f"{server.url}/favicon.png", "*/*") == 200


async def campaign(server: Server, given: argparse.Namespace, keeper: Keeper) -> dict[str, Any]:
    status, first = await tab(server)
    assert status == 200 and first is not None
    await first.close()
    found: dict[str, Any] = {"tabs": given.tabs, "handles_limit": given.handles, "before": seen(server), "rounds": []}
    for number in range(given.rounds):
        said: dict[str, Any] = {"opened": 0, "asked_to_wait": 0, "failed": [], "at": {}, "healthy": True}
        found["rounds"].append(said)
        held: list[ClientConnection] = []
        room = asyncio.Semaphore(AT_ONCE)

        async def one(
            said: dict[str, Any] = said, held: list[ClientConnection] = held, room: asyncio.Semaphore = room
        ) -> None:
            async with room:
                try:
                    status, made = await tab(server)
                except Exception as error:  # whatever a visitor meets
                    said["failed"].append(repr(error)[:200])
                    return
            if made is not None:
                held.append(made)
                said["opened"] += 1
            elif status == 503:
                said["asked_to_wait"] += 1
            else:
                said["failed"].append(f"status {status}")

        for begin in range(0, given.tabs, EVERY):
            await asyncio.gather(*(one() for _ in range(min(EVERY, given.tabs - begin))))
            said["at"][len(held)] = seen(server)
            said["healthy"] &= await asyncio.to_thread(healthy, server)
            keeper.keep(PART, found, f"round {number + 1}: {len(held)} open, {len(said['failed'])} failed")
        await asyncio.gather(*(made.close() for made in held))
        began = time.monotonic()
        while seen(server)["handles"] > found["before"]["handles"] + NEAR and time.monotonic() - began < SETTLED_S:
            await asyncio.sleep(LOOK_S)
            _, look = await tab(server)
            if look is not None:
                await look.close()
        said["after"] = seen(server) | {"seconds": round(time.monotonic() - began)}
        said["healthy"] &= await asyncio.to_thread(healthy, server)
    return found


def main() -> int:
    """See the module's text."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--tabs", type=int, default=300)
    options.add_argument("--rounds", type=int, default=2)
    options.add_argument("--handles", type=int, default=1024)
    options.add_argument("--write", action="store_true")
    given = options.parse_args()
    keeper = Keeper(Path(__file__).with_suffix(".json") if given.write else None)
    resource.setrlimit(resource.RLIMIT_NOFILE, (given.handles, given.handles))  # the server inherits it
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        try:
            keeper.begin(PART)
            found = asyncio.run(campaign(server, given, keeper))
            keeper.keep(PART, found)
        finally:
            server.stop()
    whole = all(
        one["healthy"] and not one["failed"] and one["after"]["handles"] <= found["before"]["handles"] + NEAR
        for one in found["rounds"]
    )
    return 0 if whole else 1


if __name__ == "__main__":
    raise SystemExit(main())
