"""Models behind an OpenAI-compatible address, asked through the official client as a run asks the engine.

Knows the wire; knows no project file, screen, model file or price.

One thread runs an event loop in which every answer is a task: to cancel one closes its connection at any stage, in the
back-off between two tries as well. Keys come from the environment and stay in memory; what a server sends is untrusted.
"""

import asyncio
import json
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from core import addresses, installed
from core.engine import Generation, ModelSpec, Request, Result, Sampling
from core.engine.streaming import TextStream
from core.errors import Problem
from core.project.values import Model, check_endpoint
from core.text import one_line

if TYPE_CHECKING:
    import httpx
    from openai import APIStatusError, AsyncOpenAI
    from openai.types.chat import ChatCompletionChunk

DEVICE: Final = "at the endpoint"
INSTALL: Final = "python -m pip install -r core/requirements-endpoints.txt"
LEAST_KEY: Final = 12  # characters; what is shorter ("EMPTY", "none") is no secret, and may be a word of an answer
LEAST_DECODE_S: Final = 0.05  # below, a rate says nothing
NO_KEY: Final = "none"  # the client wants one; it is not sent
LIST_S: Final = 5.0  # how long a server may take to list its models
LISTED_S: Final = 300.0  # how long its list is believed
MOST_BYTES: Final = 16_000_000  # of one reply; the longest answer taken is far below
MOST_A_TOKEN: Final = 64  # characters; a server that sends more per token asked for is not answering


@dataclass(frozen=True)
class EndpointSpec(ModelSpec):
    """A model at an address. `name`: what the server knows it by. `key_variable`: holds its key; None: none."""

    url: str = ""
    name: str = ""
    key_variable: str | None = None

    @property
    def key(self) -> str | None:
        """The key. Raises Problem when its variable is not set."""
        return addresses.key(self.key_variable, self.url)


@dataclass(frozen=True)
class Patience:
    """Seconds, and how often to try again (with the client's own back-off). `first_s`: up to the first word, all tries
    together; `silence_s`: between two words; `total_s`: the whole answer."""

    connect_s: float = 10.0
    first_s: float = 120.0
    silence_s: float = 60.0
    total_s: float = 600.0
    retries: int = 2


def spec(model: Model) -> EndpointSpec:
    """A project's endpoint model as it is asked. Raises Problem when it cannot be: no client, no key, no address."""
    check_endpoint(model)
    _installed()
    url = (model.endpoint or "").rstrip("/").removesuffix("/chat/completions")
    made = EndpointSpec(
        model.id, Path(), stop=model.stop, url=url, name=model.file, key_variable=model.key_variable or None
    )
    _ = made.key
    return made


class Endpoints:
    """Every endpoint's answers. Safe to call from any thread; `close()` ends all that is under way."""

    def __init__(self, patience: Patience | None = None) -> None:
        self._patience = patience or Patience()
        self._clients: dict[tuple[str, str | None], AsyncOpenAI] = {}
        self._named: dict[tuple[str, str | None, str], float] = {}  # models that a server was seen to have, and when
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="endpoints", daemon=True)
        self._thread.start()

    @property
    def under_way(self) -> int:
        """How many answers are being waited for or streamed."""
        return len(self._tasks)

    def load(self, spec: ModelSpec) -> dict[str, Any]:
        """What is known of the model; nothing is sent. Raises Problem when it could not be asked."""
        found = _endpoint(spec)
        _ready()
        _ = found.key
        return _identity(found, "")

    def rows(self, spec: ModelSpec) -> int:
        """How many answers one call computes: not known from here."""
        return 1

    def submit(self, request: Request) -> Generation:
        """Begin an answer and return at once. Raises Problem on what no server could be asked."""
        found = _endpoint(request.model)
        _ready()
        answer = _Answer(request, found, found.key, self._patience)
        made = answer.generation = Generation(request, lambda _made: self._call(answer.cancel))
        self._call(self._begin, answer)
        return made

    def embed(self, spec: EndpointSpec, texts: list[str]) -> Any:
        """The rows that the endpoint sends for `texts`, unchecked. Raises Problem, in time, when it sends none."""
        _ready()
        key = spec.key
        try:
            done = asyncio.run_coroutine_threadsafe(self._embed(spec, key, texts), self._loop)
        except RuntimeError:  # the loop is closed
            raise Problem("The app is closing, and asks no endpoint any more.") from None
        return done.result()

    async def _embed(self, spec: EndpointSpec, key: str | None, texts: list[str]) -> Any:
        import openai

        more: dict[str, Any] = {} if key else {"extra_headers": {"Authorization": openai.Omit()}}
        try:
            async with asyncio.timeout(self._patience.first_s):
                client = self._client(spec, key)
                found = await client.embeddings.create(model=spec.name, input=texts, encoding_format="float", **more)
        except Exception as error:  # whatever a server or its client does is one line
            raise Problem(_without(_why(error, spec, self._patience), key)) from error
        return getattr(found, "data", None)

    def close(self) -> None:
        """End every answer as cancelled, then the thread. May be called twice."""
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, what: Any, *values: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(what, *values)
        except RuntimeError:  # the loop is closed
            raise Problem("The app is closing, and asks no endpoint any more.") from None

    def _begin(self, answer: "_Answer") -> None:
        answer.task = self._loop.create_task(self._answered(answer))
        self._tasks.add(answer.task)
        answer.task.add_done_callback(self._tasks.discard)
        answer.task.add_done_callback(answer.ended)

    async def _answered(self, answer: "_Answer") -> None:
        client = self._client(answer.model, answer.key)
        await answer.run(client, lambda: self._has(client, answer.model, answer.key))

    async def _has(self, client: "AsyncOpenAI", model: EndpointSpec, key: str | None) -> None:
        """Raises _Refused when the server lists its models and this one is not among them: llama_cpp.server answers
        with its first model then, under the name it was asked for. A server without a list is taken at its word."""
        chosen = (model.url, key, model.name)
        if time.monotonic() - self._named.get(chosen, -LISTED_S) < LISTED_S:
            return
        listed = await _listed(client)
        if listed is not None and model.name not in listed and not any("*" in name for name in listed):
            said = ", ".join(one_line(name, 60) for name in listed[:5])
            raise _Refused(f"does not know the model '{one_line(model.name, 100)}': it lists {said}")
        self._named[chosen] = time.monotonic()

    def _client(self, model: EndpointSpec, key: str | None) -> "AsyncOpenAI":
        if (model.url, key) not in self._clients:
            self._clients[model.url, key] = _client(model.url, key, self._patience)
        return self._clients[model.url, key]

    async def _end(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for client in self._clients.values():
            await client.close()
        self._clients.clear()


def _endpoint(spec: ModelSpec) -> EndpointSpec:
    if not isinstance(spec, EndpointSpec):
        raise Problem(f"The model '{one_line(spec.id, 60)}' is a file, not an endpoint.")
    return spec


def _installed() -> None:
    if not installed.there("openai", "openai"):
        raise Problem(f"Models at an endpoint need the package openai, not installed here: {INSTALL}")


def _ready() -> None:
    """The client is imported here (2 s where it is slow), so that no answer's time holds it."""
    _installed()
    import openai.resources  # noqa: F401


def _client(url: str, key: str | None, patience: Patience) -> "AsyncOpenAI":
    import httpx
    import openai

    limits = httpx.Timeout(patience.silence_s, connect=patience.connect_s, read=patience.first_s)
    # Not redirected: the question goes to the address that a person checked, and nowhere else.
    http = httpx.AsyncClient(timeout=limits, follow_redirects=False, event_hooks={"response": [_bounded]})
    # The client would take key, organization and project from the environment: they are for no other server.
    headers: Any = dict.fromkeys(("OpenAI-Organization", "OpenAI-Project"), openai.Omit())
    return openai.AsyncOpenAI(
        api_key=key or NO_KEY, base_url=url, max_retries=patience.retries, http_client=http, timeout=limits,
        default_headers={"Accept-Encoding": "identity"} | headers,
    )  # fmt: skip


async def _listed(client: "AsyncOpenAI") -> list[str] | None:
    """The names of the server's models; None where it tells none in time."""
    import openai

    try:
        more: Any = {} if client.api_key != NO_KEY else {"extra_headers": {"Authorization": openai.Omit()}}
        found = await client.with_options(max_retries=0, timeout=LIST_S).models.list(**more)
        names = [one.id for one in found.data]
    except Exception:  # whatever it is, it is no list; the question itself will show what is wrong
        return None
    return names if names and all(isinstance(name, str) for name in names) else None


async def _bounded(reply: "httpx.Response") -> None:
    """A reply is read to a limit, and only as it is: a small one that unpacks into a huge one is refused."""
    import httpx

    if reply.headers.get("content-encoding", "identity") != "identity":
        raise _Refused("packs its replies, though asked not to")
    stream: Any = reply.stream

    class Stream(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            taken = 0
            async for part in stream:
                taken += len(part)
                if taken > MOST_BYTES:
                    raise _Refused(f"sent more than {MOST_BYTES:,} bytes for one answer")
                yield part

        async def aclose(self) -> None:
            await stream.aclose()

    reply.stream = Stream()


class _Refused(Exception):
    """What the server did that is not taken, in words that follow its address."""


@dataclass
class _Answer:
    """One answer in the making, in the loop's thread."""

    request: Request
    model: EndpointSpec
    key: str | None
    patience: Patience
    generation: Generation = field(init=False)
    task: "asyncio.Task[None] | None" = None
    alternative: int = 0
    finish: str | None = None
    begun: float = field(default_factory=time.perf_counter)
    first: float | None = None
    served: str = ""
    usage: Any = None
    notes: list[str] = field(default_factory=list)

    def cancel(self) -> None:
        if self.task is not None:
            self.task.cancel()

    async def run(self, client: "AsyncOpenAI", check: Callable[[], Awaitable[None]]) -> None:
        """Asks, reads, and ends the generation in every case. `check`: is the model there at all?"""
        try:
            async with asyncio.timeout(self.patience.total_s) as whole:
                await check()
                self.begun = time.perf_counter()  # a server's list is asked for once: no answer's time holds it
                await self._read(client)
            self.generation.finish(self._result("length" if self.finish == "length" else "stop"))
        except asyncio.CancelledError:
            self.generation.finish(self._result("cancelled"))
        except Exception as error:  # whatever a server or its client does ends one answer, in words
            late = _Refused(f"did not end its answer within {self.patience.total_s:g} s")
            said = _why(
                late if whole.expired() else error, self.model, self.patience, len(self.generation.text), self.first
            )
            self.generation.fail(_without(said, self.key))

    def ended(self, _task: object) -> None:
        """A task that is cancelled before its first step never runs."""
        if self.generation.state not in ("done", "cancelled", "failed"):
            self.generation.finish(self._result("cancelled"))

    async def _read(self, client: "AsyncOpenAI") -> None:
        clean = TextStream(tuple(dict.fromkeys((*self.request.sampling.stop, *self.model.stop))))
        most = MOST_A_TOKEN * self.request.sampling.max_tokens
        async with asyncio.timeout(self.patience.first_s) as watch:
            self.generation.state = "prefill"
            stream = await self._ask(client)
            try:
                async for chunk in stream:
                    text = clean.feed(self._taken(chunk).encode("utf-8", "replace"))
                    if text and self.first is None:
                        self.first, self.generation.state = time.perf_counter(), "decode"
                    if self.first is not None:
                        watch.reschedule(asyncio.get_running_loop().time() + self.patience.silence_s)
                    self._show(text)
                    if clean.stopped:
                        self.finish = "stop"
                        break
                    if len(self.generation.text) > most:
                        raise _Refused(f"sent far more than the {self.request.sampling.max_tokens} tokens asked for")
            finally:
                await stream.close()
        self._show(clean.finish())
        if self.finish is None:
            raise _Refused(_broke(len(self.generation.text)))
        if self.finish == "content_filter":
            raise _Refused("withheld the answer: its content filter ended it")

    def _show(self, text: str) -> None:
        if text:
            self.generation.text = _without(self.generation.text + text, self.key)

    async def _ask(self, client: "AsyncOpenAI") -> Any:
        """The stream of the first version that fits, of a request that this server understands."""
        import openai

        given = _wire(self.model, self.request.sampling)
        if self.key is None:
            given["extra_headers"] = {"Authorization": openai.Omit()}
        while True:
            try:
                chat: Any = list(self.request.alternatives[self.alternative])
                return await client.chat.completions.create(messages=chat, stream=True, **given)
            except openai.BadRequestError as error:
                said = _said(error).lower()
                if _too_long(error) and self.alternative + 1 < len(self.request.alternatives):
                    self.alternative += 1
                elif "max_completion_tokens" in said and "max_tokens" in given:
                    given["max_completion_tokens"] = given.pop("max_tokens")
                elif name := next((name for name in ("stream_options", "seed") if name in said and name in given), ""):
                    del given[name]
                    self.notes.append(f"The server takes no '{name}'.")
                else:
                    raise

    def _taken(self, chunk: "ChatCompletionChunk") -> str:
        """A chunk's text. Nothing of it has been checked by the client."""
        self.usage = getattr(chunk, "usage", None) or self.usage
        if isinstance(served := getattr(chunk, "model", None), str):
            self.served = served
        choices = getattr(chunk, "choices", None)
        if choices is None or choices == []:
            return ""
        try:
            finish, text = choices[0].finish_reason, choices[0].delta.content if choices[0].delta else None
        except (AttributeError, TypeError, KeyError, IndexError):
            raise _Refused(GARBAGE) from None
        if not isinstance(finish, str | None) or not isinstance(text, str | None):
            raise _Refused(GARBAGE)
        self.finish = finish or self.finish
        return text or ""

    # -- what is kept of it --------------------------------------------------------------------------------------

    def _result(self, finish: Any) -> Result:
        now = time.perf_counter()
        prompt, output = _count(self.usage, "prompt_tokens"), _count(self.usage, "completion_tokens")
        reused = _count(getattr(self.usage, "prompt_tokens_details", None), "cached_tokens")
        hidden = _count(getattr(self.usage, "completion_tokens_details", None), "reasoning_tokens")
        decode = now - self.first if self.first is not None else None
        timing: dict[str, Any] = {"total": (now - self.begun) * 1000, "contended": self.request.contended}
        if self.first is not None and decode is not None:
            timing |= {"ttft_engine": (self.first - self.begun) * 1000, "decode": decode * 1000}
        known = output is not None and output > 1 and not hidden and decode is not None and decode >= LEAST_DECODE_S
        rate = (output - 1) / decode if known and output and decode else None
        tokens = {"prompt": prompt, "prompt_reused": reused, "output": output}
        missing = [] if output is not None else ["how many tokens there were"]
        missing += ["the exact text after the server's chat template"]
        missing += [] if reused is not None else ["what of the prompt it had read before"]
        said = [f"It calls itself {one_line(self.served, 100)}."] if self.served not in ("", self.model.name) else []
        said += [*self.notes, f"It does not tell {', or '.join(missing)}. The prompt shown is the messages as sent."]
        if hidden:
            said.append(f"{hidden} of the output tokens are reasoning that is not shown.")
        return Result(
            text=self.generation.text,
            finish=finish,
            prompt=json.dumps(self.request.alternatives[self.alternative], ensure_ascii=False, indent=1),
            alternative=self.alternative,
            timing=timing,
            tokens={name: count for name, count in tokens.items() if count is not None},
            rates={"prefill_per_s": None, "decode_per_s": rate},
            model=_identity(self.model, _without(" ".join(said), self.key)),
        )


def _identity(model: EndpointSpec, said: str) -> dict[str, Any]:
    note = f"Asked at {model.url} as {one_line(model.name, 100)}. {said}".strip()
    return {"id": model.id, "device": DEVICE, "kind": "endpoint", "note": note}


def _wire(model: EndpointSpec, sampling: Sampling) -> dict[str, Any]:
    """The request but its messages. What the official wire does not know is sent only where it is asked for."""
    given: dict[str, Any] = {
        "model": model.name,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "max_tokens": sampling.max_tokens,
        "seed": sampling.seed,
        "stream_options": {"include_usage": True},
    }
    if stop := list(dict.fromkeys((*sampling.stop, *model.stop)))[:4]:  # the wire's most; all are looked for here
        given["stop"] = stop
    further = {
        "top_k": sampling.top_k or None,
        "min_p": sampling.min_p or None,
        "repetition_penalty": sampling.repeat_penalty if sampling.repeat_penalty != 1 else None,  # vLLM's name
        "repeat_penalty": sampling.repeat_penalty if sampling.repeat_penalty != 1 else None,  # llama-server's
    }
    if chosen := {name: value for name, value in further.items() if value is not None}:
        given["extra_body"] = chosen
    return given


def _count(usage: Any, name: str) -> int | None:
    found = getattr(usage, name, None)
    return found if isinstance(found, int) and not isinstance(found, bool) and 0 <= found < 10**9 else None


def _without(text: str, key: str | None) -> str:
    return text.replace(key, "[key]") if key and len(key) >= LEAST_KEY else text


# -- what went wrong, in words ---------------------------------------------------------------------------------------

GARBAGE: Final = "sent something that is no streamed chat completion: is this the address of an OpenAI-compatible API?"


def _broke(characters: int) -> str:
    if not characters:
        return "ended without an answer: is this the address of an OpenAI-compatible API?"
    return f"broke off after {characters:,} characters, before the answer's end. Ask again"


def _why(
    error: Exception, model: EndpointSpec, patience: Patience, characters: int = 0, first: float | None = None
) -> str:
    import httpx
    import openai

    url = model.url
    if isinstance(error, openai.APIStatusError):
        return _status(error, model)
    if refused := next((one for one in _chain(error) if isinstance(one, _Refused)), None):
        return f"The server at {url} {str(refused).rstrip('.')}."
    if isinstance(error, TimeoutError | openai.APITimeoutError | httpx.TimeoutException):
        if any(isinstance(one, httpx.ConnectTimeout) for one in _chain(error)):
            return f"No connection to {url} within {patience.connect_s:g} s: is the address right, and the server up?"
        if not characters:
            return f"The server at {url} sent no word within {patience.first_s:g} s: busy or down? Ask again later."
        return f"The server at {url} is too slow: it stalled after {characters:,} characters. Ask again later."
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
        return f"The server at {url} {GARBAGE}"
    if isinstance(error, openai.APIError) and not isinstance(error, openai.APIConnectionError):  # told in the stream
        return f"The server at {url} gave up: {one_line(str(error.message), 200)}"
    if characters or first is not None:
        return f"The server at {url} {_broke(characters)}."
    if isinstance(error, openai.APIConnectionError | httpx.TransportError):
        return _unreached(error, url)
    return f"The server at {url} could not be asked ({type(error).__name__}: {one_line(str(error), 200)})."


def _unreached(error: Exception, url: str) -> str:
    causes = list(_chain(error))
    if any(isinstance(one, ssl.SSLError) for one in causes):
        said = next(one for one in causes if isinstance(one, ssl.SSLError))
        return (
            f"No trusted connection (TLS) to {url}: {one_line(str(said.reason or said), 120)}. "
            "Check its certificate, or whether the address begins with http://."
        )
    if any(isinstance(one, socket.gaierror) for one in causes):
        return f"No server of the name in {url} is known here: check the address and the network."
    if any(isinstance(one, ConnectionRefusedError) for one in causes):
        return f"The connection to {url} was refused: no server listens there. Start it, or check address and port."
    return f"The server at {url} closed the connection or cannot be reached ({one_line(str(causes[-1]), 160)})."


def _status(error: "APIStatusError", model: EndpointSpec) -> str:
    code, quoted = error.status_code, f" It says: {said}" if (said := one_line(_said(error), 200)) else ""
    where = f"The server at {model.url}"
    if code in (401, 403):
        name = model.key_variable
        asked = f"does not accept the key in {name}" if name else "wants a key: name its environment variable"
        return f"{where} {asked} ({code})."
    if code == 404:
        return (
            f"{where} does not know the model '{one_line(model.name, 100)}', or not this address (404): check both; "
            f"most addresses end in /v1.{quoted}"
        )
    if code == 429:
        return f"{where} limits how often it may be asked (429). Wait a little, or raise the limit there.{quoted}"
    if 300 <= code < 400:
        return f"{where} points to another address ({code}), which is not followed: enter the final one."
    if _too_long(error):
        return f"{where} finds the prompt too long for the model: fewer passages, or a shorter question.{quoted}"
    if code >= 500:
        return f"{where} failed ({code}), asked more than once. Try again later.{quoted}"
    return f"{where} refuses the request ({code}).{quoted}"


def _said(error: "APIStatusError") -> str:
    """The server's own words, as far as they are words."""
    body = error.body
    if isinstance(body, dict) and isinstance(body.get("error"), dict):
        body = body["error"]
    said = body.get("message") if isinstance(body, dict) else body
    return said if isinstance(said, str) and not said.lstrip().startswith("<") else ""


def _too_long(error: "APIStatusError") -> bool:
    code, said = str(getattr(error, "code", "")), _said(error).lower()
    return "context_length" in code or ("context" in said and any(w in said for w in ("length", "exceed", "maximum")))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error, then what it came of."""
    seen: list[BaseException] = []
    now: BaseException | None = error
    while now is not None and now not in seen:
        seen.append(now)
        yield now
        now = now.__cause__ or now.__context__
