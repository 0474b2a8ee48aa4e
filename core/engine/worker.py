"""The worker process: one weights file, messages in, messages out. Started by file path, as a fresh interpreter.

    python -P core/engine/worker.py SOCKET

Three parts share it: a reader thread that answers pings and cancels even while llama.cpp computes, the main thread that
computes, and the operating system, which ends the process when its parent is gone. It knows no queue and no other
worker; when anything is wrong with its file it says so and exits, and when it dies the app does not care.
"""

import base64
import json
import os
import queue
import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from core.engine import check, gguf_header, host, wire, worklog
from core.engine.interface import Sampling
from core.engine.streaming import TextStream
from core.engine.template import ChatTemplate, Rendered
from core.errors import Problem

if TYPE_CHECKING:
    from core.engine.worker_llama import Context, Model, Slot

FLUSH_S = 0.03  # text is sent at most so often: a message wakes the app, and the app shares the processor
CHUNK, CHUNK_LARGE, LARGE = (
    512,
    128,
    10**9,
)  # prompt tokens a call, fewer for files over LARGE bytes: a call must be short


class Link:
    """The socket to the app."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    def send(self, event: str, **content: Any) -> None:
        """One message; the process ends when nobody reads it."""
        data = wire.pack({"event": event, **content})
        with self._lock:
            try:
                self._connection.sendall(data)
            except OSError:
                os._exit(0)

    def messages(self) -> Iterator[wire.Message]:
        """All messages until the app closes its end."""
        unpacker = wire.Unpacker()
        while (found := wire.receive(self._connection, unpacker)) is not None:
            yield from found


@dataclass
class Answer:
    """One generation under way."""

    id: int
    prompt: Rendered
    tokens: list[int]
    alternative: int
    sampling: Sampling
    stream: TextStream
    context: "Context"
    slot: "Slot"
    reused: int
    sampler: Any
    began: float
    load_ms: float
    cancelled: bool = False
    output: list[int] = field(default_factory=list)
    logprobs: list[dict[str, Any]] = field(default_factory=list)
    unsent: str = ""
    sent_at: float = 0.0
    prefill_began: float = 0.0
    first_at: float | None = None
    last_at: float = 0.0

    def next_tokens(self) -> list[int]:
        """What to evaluate next: the prompt up to its next chunk border, then the token chosen last."""
        done = len(self.slot.cached)
        if done < len(self.tokens):
            return self.tokens[done : next(end for end in self.slot.ends if end > done)]
        return self.output[-1:]

    def wants_logits(self, tokens: list[int]) -> bool:
        """Whether `tokens` end the prompt or continue the answer."""
        return len(self.slot.cached) + len(tokens) >= len(self.tokens)


class Chat:
    """A language model's answers, a step at a time."""

    def __init__(self, link: Link, model: "Model", template: ChatTemplate, settings: dict[str, Any]) -> None:
        self.link, self.model, self.template, self.settings = link, model, template, settings
        self.contexts: dict[str | None, Context] = {}
        self.answers: list[Answer] = []
        self.cancelled: set[int] = set()
        self.computing: Answer | None = None
        self.adapter_sha256: str | None = None
        self.batching = False

    # -- contexts ------------------------------------------------------------------------------------------------

    def context(self, adapter: str | None) -> "Context":
        """The context without an adapter, or the one with it; at most one adapter is kept."""
        from core.engine.worker_llama import Adapter, Context

        if adapter not in self.contexts:
            loaded = None
            if adapter is not None:
                check.check_adapter(gguf_header.read(Path(adapter)), self.settings["header"])
                self.adapter_sha256 = gguf_header.sha256(Path(adapter))
                loaded = Adapter(self.model, Path(adapter))
                for other in [name for name in self.contexts if name is not None]:
                    self.contexts.pop(other).free()
            self.contexts[adapter] = Context(
                self.model,
                self.settings["context"],
                self.settings["threads"],
                adapter=loaded,
                chunk=self.settings["chunk"],
            )
        return self.contexts[adapter]

    def use_threads(self, count: int) -> None:
        """Compute with so many threads from now on."""
        self.settings["threads"] = count
        for context in self.contexts.values():
            context.threads(count)

    # -- answers -------------------------------------------------------------------------------------------------

    def begin(self, message: wire.Message) -> None:
        """Take a new answer on: prompt, tokens, sequence. What is wrong with it is said in a message."""
        from core.engine.worker_llama import Sampler

        began = time.perf_counter()
        number, sampling = (
            message["id"],
            Sampling(**{**message["sampling"], "stop": tuple(message["sampling"]["stop"])}),
        )
        try:
            context = self.context(message["adapter"])
            load_ms = (time.perf_counter() - began) * 1000
            began = time.perf_counter()
            alternative, prompt, tokens = self.fitting(message["alternatives"], sampling.max_tokens)
            taken = context.take(tokens, self.question(prompt, tokens))
            if taken is None:
                raise Problem("No sequence of the model is free; ask again.")
        except Problem as problem:
            self.link.send("problem", id=number, message=problem.message)
            return
        slot, reused = taken
        sampler, stream = Sampler(self.model, sampling, tokens), TextStream(sampling.stop)
        answer = Answer(
            number, prompt, tokens, alternative, sampling, stream, context, slot, reused, sampler, began, load_ms
        )
        answer.prefill_began = time.perf_counter()
        self.answers.append(answer)
        self.link.send("prefill", id=number, done=reused, total=len(tokens))

    def fitting(self, alternatives: list[list[dict[str, str]]], answer: int) -> tuple[int, Rendered, list[int]]:
        """The first version of the chat that leaves room for `answer` tokens. Raises Problem with the numbers."""
        room = self.settings["context"] - answer
        needed = "0"
        for index, messages in enumerate(alternatives):
            rendered = self.template.render(messages)
            size = len(rendered.text.encode("utf-8", "replace"))
            if size > self.settings["context"] * 16 and size > self.settings["context"] * self.model.longest_piece:
                needed = f"over {self.settings['context']:,}"
                continue
            tokens = self.tokens(rendered)
            if len(tokens) <= room:
                return index, rendered, tokens
            needed = f"{len(tokens):,}"
        shortest = " even without the passages that may be dropped" if len(alternatives) > 1 else ""
        raise Problem(
            f"The prompt does not fit: it has {needed} tokens{shortest}, the answer may take {answer:,}, and the "
            f"model's context holds {self.settings['context']:,}. Shorten the question, lower max tokens, or raise the "
            "context."
        )

    def tokens(self, rendered: Rendered) -> list[int]:
        """The prompt as tokens: control tokens only out of the template's own pieces, and never two BOS."""
        made: list[int] = []
        for piece in rendered.pieces:
            made += self.model.tokenize(piece.text, special=piece.trusted)
        bos = self.model.bos
        while len(made) > 1 and made[0] == made[1] == bos:
            del made[0]
        return [bos, *made] if self.model.adds_bos and made[:1] != [bos] else made

    def question(self, rendered: Rendered, tokens: list[int]) -> int:
        """The token at which the question begins: after the last blank line of the last text, 0 if there is none."""
        texts = [piece.text for piece in rendered.pieces]
        last = max((place for place, piece in enumerate(rendered.pieces) if not piece.trusted), default=0)
        place = texts[last].rfind("\n\n") if texts else -1
        if place < 0:
            return 0
        wanted = len(("".join(texts[:last]) + texts[last][: place + 2]).encode("utf-8", "replace"))
        for index, token in enumerate(tokens):
            if wanted <= 0:
                return index
            wanted -= len(self.model.piece(token, special=True))
        return 0

    def step(self) -> None:
        """One call of llama.cpp for each context that has work: all its decoding answers together where that pays."""
        for answer in list(self.answers):
            if answer not in self.answers:
                continue  # ended within this step
            group = [answer]
            if self.batching and answer.output:
                group = [other for other in self.answers if other.output and other.context is answer.context]
            for other in [other for other in group if other.id in self.cancelled]:
                self.end(other, "cancelled")
                group.remove(other)
            if group:
                self.evaluate(group)

    def evaluate(self, group: list[Answer]) -> None:
        """Run the next tokens of `group` through the model, and take the answers one token on."""
        rows = [(answer.slot, tokens := answer.next_tokens(), answer.wants_logits(tokens)) for answer in group]
        self.computing = group[0] if len(group) == 1 else None
        try:
            logits = group[0].context.evaluate(rows) if not self.stopped(group) else None
        except Problem as problem:
            for answer in group:
                self.drop(answer, problem.message)
            return
        finally:
            self.computing = None
        for answer, row in zip(group, logits or [None] * len(group), strict=True):
            if answer.id in self.cancelled:
                self.end(answer, "cancelled")
            elif row is not None:
                self.advance(answer, row)
            else:
                self.link.send("prefill", id=answer.id, done=len(answer.slot.cached), total=len(answer.tokens))

    def stopped(self, group: list[Answer]) -> bool:
        """Whether a lone answer was cancelled before `computing` told the reader thread whom to abort."""
        return len(group) == 1 and group[0].id in self.cancelled

    def advance(self, answer: Answer, logits: Any) -> None:
        """Choose a token, show its text, and see whether that was the last."""
        from core.engine.worker_llama import logprob

        try:
            token = answer.sampler.next(logits)
        except Problem as problem:
            self.drop(answer, problem.message)
            return
        now = time.perf_counter()
        answer.first_at = answer.first_at or now
        answer.last_at = now
        if self.model.ends(token):
            self.end(answer, "stop")
            return
        piece = self.model.piece(token)
        answer.output.append(token)
        if answer.sampling.logprobs:
            text = piece.decode("utf-8", "replace")
            answer.logprobs.append({"token": token, "text": text, "logprob": logprob(logits, token)})
        answer.unsent += answer.stream.feed(piece)
        if answer.stream.stopped:
            self.end(answer, "stop")
        elif len(answer.output) >= answer.sampling.max_tokens:
            self.end(answer, "length")
        elif now - answer.sent_at > FLUSH_S:
            self.link.send("text", id=answer.id, text=answer.unsent, tokens=len(answer.output))
            answer.unsent, answer.sent_at = "", now

    def end(self, answer: Answer, finish: str) -> None:
        """Say the last words and free the sequence; its prompt stays there for the next question."""
        now = time.perf_counter()
        text = answer.unsent + answer.stream.finish()
        first, last = answer.first_at or now, answer.last_at or now
        prefill_s, decode_s = first - answer.prefill_began, last - first
        outputs, fresh = len(answer.output), len(answer.tokens) - answer.reused
        timing = {
            "load": answer.load_ms,
            "ttft_engine": (first - answer.began) * 1000 if answer.first_at else None,
            "prefill": prefill_s * 1000,
            "decode": decode_s * 1000,
        }
        rates = {
            "prefill_per_s": fresh / prefill_s if answer.first_at and prefill_s > 0 else None,
            "decode_per_s": (outputs - 1) / decode_s if outputs > 1 and decode_s >= 0.05 else None,
        }
        tokens = {"prompt": len(answer.tokens), "prompt_reused": answer.reused, "output": outputs}
        self.release(answer, keep=finish != "cancelled")
        self.link.send(
            "done",
            id=answer.id,
            finish=finish,
            text=text,
            prompt=answer.prompt.text,
            note=answer.prompt.note,
            alternative=answer.alternative,
            timing=timing,
            rates=rates,
            tokens=tokens,
            logprobs=answer.logprobs if answer.sampling.logprobs else None,
            peak_memory=host.peak_memory(),
            adapter_sha256=self.adapter_sha256 if answer.context is not self.contexts[None] else None,
        )

    def drop(self, answer: Answer, message: str) -> None:
        """End an answer that cannot be had."""
        self.release(answer, keep=False)
        self.link.send("problem", id=answer.id, message=message)

    def release(self, answer: Answer, *, keep: bool) -> None:
        """Free the sequence. A cancelled prompt is forgotten whole, so that the next answer is a fresh worker's."""
        answer.sampler.free()
        answer.slot.busy = False
        if keep:
            del answer.slot.cached[len(answer.tokens) :]
        else:
            answer.context.forget(answer.slot)
        self.answers.remove(answer)
        self.cancelled.discard(answer.id)

    # -- from the reader thread ----------------------------------------------------------------------------------

    def cancel(self, number: int) -> None:
        """Stop an answer, in the middle of an evaluation if it has one to itself."""
        self.cancelled.add(number)
        answer = self.computing
        if answer is not None and answer.id == number:
            answer.context.abort()


class Worker:
    """The process as a whole: load one file, then serve until the app closes the socket."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.inbox: queue.SimpleQueue[wire.Message] = queue.SimpleQueue()
        self.chat: Chat | None = None
        self.embedder: Any = None
        self.model: Any = None

    def read(self) -> None:
        """The reader thread: pings and cancels at once, the rest in order. The process ends with it."""
        try:
            for message in self.link.messages():
                if message["op"] == "ping":
                    self.link.send("pong", n=message["n"])
                elif message["op"] == "cancel":
                    if self.chat is not None:
                        self.chat.cancel(message["id"])
                else:
                    self.inbox.put(message)
        except MemoryError:  # a process that hears nothing any more would be noticed only by its silence
            os._exit(worklog.OUT_OF_MEMORY)
        os._exit(0)

    def run(self) -> None:
        """The main thread: load, then take messages while there are any, and steps while there are answers."""
        threading.Thread(target=self.read, daemon=True).start()
        self.load(self.inbox.get())
        while True:
            busy = self.chat is not None and bool(self.chat.answers)
            try:
                self.take(self.inbox.get(block=not busy))
            except queue.Empty:
                assert self.chat is not None
                self.chat.step()

    def take(self, message: wire.Message) -> None:
        """One message of the main thread's."""
        if message["op"] == "generate" and self.chat is not None:
            self.chat.begin(message)
            return
        if message["op"] == "threads":
            if self.chat is not None:
                self.chat.use_threads(message["count"])
            return
        try:
            self.link.send("value", id=message["id"], value=self.value(message))
        except Problem as problem:
            self.link.send("problem", id=message["id"], message=problem.message)

    def value(self, message: wire.Message) -> Any:
        """What a message asks for. Raises Problem where this model has no such thing."""
        if message["op"] == "tokens":
            return len(self.model.tokenize(message["text"], special=False))
        if message["op"] == "embed" and self.embedder is not None:
            return base64.b64encode(self.embedder.embed(message["text"]).astype("<f4").tobytes()).decode("ascii")
        if message["op"] == "adapter" and self.chat is not None:
            self.chat.context(message["adapter"])
            return host.peak_memory()
        kind = "an embedder: it cannot answer" if self.embedder is not None else "a chat model: it cannot embed"
        raise Problem(f"This model is {kind}.")

    # -- loading -------------------------------------------------------------------------------------------------

    def load(self, message: wire.Message) -> None:
        """Check, hash and load the file, and try it once. Refusals are told, then the process ends."""
        try:
            self._load(message)
        except Problem as problem:
            self.link.send("refused", message=problem.message)
            sys.exit(0)
        except MemoryError:
            self.link.send("refused", message="it needs more memory than it may take")
            sys.exit(0)

    def _load(self, message: wire.Message) -> None:
        path = Path(message["path"])
        self.link.send("phase", phase="check")
        header = gguf_header.read(path)
        check.check(header)
        identity = message["known"] or gguf_header.sha256(path)
        self.link.send("phase", phase="load", sha256=identity)
        if message["expected"] and identity != message["expected"]:
            raise Problem(
                f"its SHA-256 is {identity[:12]}…, not {message['expected'][:12]}… as it should be: the file is "
                "damaged or another. Delete it, so that it is fetched or made anew"
            )
        from core.engine import worker_llama as llama

        llama.start()
        context = min(message["context"], header.own("context_length"))
        threads = message["threads"] or host.processors()
        weights = sum(tensor.size for tensor in header.tensors)
        free, wanted = llama.free_gpu_memory(), message["gpu_layers"]
        layers = host.gpu_layers(message["device"], wanted, header.own("block_count"), weights, free)
        if layers == 0:  # a GPU driver maps far more address space than it uses
            host.bound_memory(check.memory(header, context))
        self.model = llama.Model(path, layers)
        info: dict[str, Any] = {"architecture": header.architecture, "quantization": check.quantization(header.tensors)}
        info |= {"file_sha256": identity, "template_sha256": check.template_sha256(header), **check.derivation(header)}
        info |= {"context": context, "device": "gpu" if layers else "cpu", "threads": threads, "gpu_layers": layers}
        serve = self.serve_embedder if header.architecture in check.EMBEDDERS else self.serve_chat
        serve(header, info, choose_threads=message["threads"] is None)
        self.link.send("loaded", info=info, peak_memory=host.peak_memory())

    def serve_embedder(self, header: gguf_header.Header, info: dict[str, Any], *, choose_threads: bool) -> None:
        """Be an embedder from now on; complete `info`."""
        from core.engine.worker_llama import Embedder

        self.embedder = Embedder(self.model, info["threads"])
        self.link.send("phase", phase="canary")
        self.embedder.embed("canary")
        info |= {"kind": "embedder", "context": self.embedder.limit, "dimensions": self.embedder.dimensions}

    def serve_chat(self, header: gguf_header.Header, info: dict[str, Any], *, choose_threads: bool) -> None:
        """Be a language model from now on; complete `info`."""
        from core.engine import worker_trial

        self.link.send("phase", phase="chat template")
        bos, eos = (self.model.special_text(token) for token in (self.model.bos, self.model.eos))
        template = ChatTemplate(header.values.get("tokenizer.chat_template"), bos, eos)
        note = template.render([{"role": "user", "content": "Hello"}]).note
        self.link.send("phase", phase="canary")
        chunk = CHUNK if header.file_size < LARGE else CHUNK_LARGE
        settings = {"context": info["context"], "threads": info["threads"], "chunk": chunk, "header": header}
        self.chat = Chat(self.link, self.model, template, settings)
        trial = worker_trial.run(self.model, self.chat.context(None), info["threads"], choose_threads=choose_threads)
        self.chat.batching, settings["threads"] = trial.batching, trial.threads
        info |= {"kind": "chat", "threads": trial.threads, "batching": trial.batching, "canary": trial.text}
        info |= {"note": note}


def main() -> None:
    """Serve on the socket whose number is the one argument; or, for `devices`, print what there is as JSON."""
    if sys.argv[1] == "devices":
        from core.engine import worker_llama

        worker_llama.start()
        print(json.dumps(worker_llama.devices()))
        return
    host.die_with_parent()
    host.no_core_dumps()
    link = Link(socket.socket(fileno=int(sys.argv[1])))
    try:
        Worker(link).run()
    except MemoryError:
        os._exit(worklog.OUT_OF_MEMORY)


if __name__ == "__main__":
    main()
