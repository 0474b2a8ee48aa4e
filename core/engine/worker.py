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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from core.engine import chats, check, gguf_header, host, messages, wire, worklog
from core.engine.draft import Draft
from core.engine.interface import SEQUENCES, SEQUENCES_BACKGROUND, Message, Sampling
from core.engine.streaming import TextStream
from core.engine.template import CHOSEN_NOTE, ChatTemplate, Rendered
from core.errors import Problem

if TYPE_CHECKING:
    from core.engine.worker_llama import Context, Model, Slot

PLAIN_NOTE = (
    "This build of llama.cpp uses instructions that fail on this processor; it runs without them, more slowly. "
    "'Illegal instruction' in the README tells how to build it anew."
)
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

    def send(self, event: messages.Event) -> None:
        """One message; the process ends when nobody reads it."""
        data = messages.pack(event)
        with self._lock:
            try:
                self._connection.sendall(data)
            except OSError:
                os._exit(0)

    def orders(self) -> Iterator[messages.Order]:
        """All messages until the app closes its end."""
        unpacker = wire.Unpacker()
        while (found := wire.receive(self._connection, unpacker)) is not None:
            yield from map(messages.order, found)


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
    draft: Draft | None = None
    guessed: list[int] = field(default_factory=list)  # of the tokens under evaluation, those nobody has chosen yet

    def next_tokens(self, *, alone: bool) -> list[int]:
        """What to evaluate next: the prompt up to its next chunk border, then the token chosen last and, `alone`, a
        guess: sequences with unlike numbers of tokens are not computed together."""
        done = len(self.slot.cached)
        if done < len(self.tokens):
            return self.tokens[done : next(end for end in self.slot.ends if end > done)]
        room = self.sampling.max_tokens - len(self.output) - 1
        self.guessed = self.draft.guess(room) if alone and self.draft is not None else []
        return [self.output[-1], *self.guessed]

    def wanted(self, tokens: list[int]) -> int:
        """After how many of `tokens` the next one is to be chosen: none within the prompt, each of an answer."""
        if self.output:
            return len(tokens)
        return int(len(self.slot.cached) + len(tokens) >= len(self.tokens))


class Chat:
    """A language model's answers, a step at a time."""

    def __init__(self, link: Link, model: "Model", template: ChatTemplate, settings: dict[str, Any]) -> None:
        self.link, self.model, self.template, self.settings = link, model, template, settings
        self.contexts: dict[str | None, Context] = {}
        self.chosen: dict[str, ChatTemplate] = {}
        self.answers: list[Answer] = []
        self.cancelled: set[int] = set()
        self.computing: Answer | None = None
        self.adapter_sha256: str | None = None
        self.batching = self.guessing = False
        self.rows: int | None = None  # answers in the background that go into one call; not tried yet

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
                sequences=self.settings["sequences"],
            )
        return self.contexts[adapter]

    def rows_that_pay(self) -> int:
        """How many answers in the background to compute in one call; tried out once nothing is being answered, and till
        then a guess."""
        from core.engine import worker_trial

        if self.rows is None and not self.answers:
            settings = self.settings
            self.rows = worker_trial.rows(self.context(None), settings["trial"], exact=settings["exact"])
        return self.rows or (SEQUENCES_BACKGROUND[-1] if self.batching else 1)

    def widen(self) -> int:
        """Make room for as many answers at a time as pay, without an adapter, where nothing is being answered and there
        is the memory; how many there is room for now."""
        from core.engine.worker_llama import NoRoom

        before, sequences = len(self.contexts[None].slots), self.rows_that_pay()
        if self.answers or sequences <= before:
            return before
        needed = [check.memory(self.settings["header"], self.settings["context"], count) for count in (0, 1)]
        spare = host.free_memory() - needed[0]  # the weights a second time: some room stays
        sequences = min(sequences, before + max(0, spare) // (needed[1] - needed[0]))
        if sequences == before:
            return before
        self.contexts.pop(None).free()
        self.settings["sequences"] = sequences
        try:
            return len(self.context(None).slots)
        except NoRoom:
            self.settings["sequences"] = before
            return len(self.context(None).slots)

    def use_threads(self, count: int) -> None:
        """Compute with so many threads from now on."""
        self.settings["threads"] = count
        for context in self.contexts.values():
            context.threads(count)

    # -- answers -------------------------------------------------------------------------------------------------

    def begin(self, asked: messages.Generate) -> None:
        """Take a new answer on: prompt, tokens, sequence. What is wrong with it is said in a message."""
        from core.engine.worker_llama import Sampler

        began = time.perf_counter()
        number, sampling = asked.id, asked.sampling
        try:
            context = self.context(asked.adapter)
            load_ms = (time.perf_counter() - began) * 1000
            began = time.perf_counter()
            alternative, prompt, tokens = self.fitting(asked.alternatives, sampling.max_tokens, asked.template)
            taken = context.take(tokens, self.question(prompt, tokens), fresh=asked.fresh)
            if taken is None:
                raise Problem("No sequence of the model is free; ask again.")
        except Problem as problem:
            self.link.send(messages.Failed(number, problem.message))
            return
        slot, reused = taken
        sampler, stream = Sampler(self.model, sampling, tokens, asked.one_of), TextStream(sampling.stop)
        answer = Answer(
            number, prompt, tokens, alternative, sampling, stream, context, slot, reused, sampler, began, load_ms
        )
        drafting = self.guessing if asked.drafting is None else asked.drafting
        if drafting and sampler.greedy and self.model.can_go_back:
            answer.draft = Draft(tokens, () if asked.fresh else context.said)
        answer.prefill_began = time.perf_counter()
        self.answers.append(answer)
        self.link.send(messages.Prefill(number, reused, len(tokens)))

    def render(self, chat: Sequence[Message], form: str | None = None) -> Rendered:
        """The prompt of a chat by a form of chats.py, by default by the file's own template."""
        if form is None:
            return self.template.render(chat)
        if form not in self.chosen:
            bos, eos = (self.model.special_text(token) for token in (self.model.bos, self.model.eos))
            self.chosen[form] = ChatTemplate(chats.form(form).source, bos, eos, CHOSEN_NOTE.format(form))
        return self.chosen[form].render(chat)

    def fitting(
        self, alternatives: Sequence[Sequence[Message]], answer: int, form: str | None = None
    ) -> tuple[int, Rendered, list[int]]:
        """The first version of the chat that leaves room for `answer` tokens. Raises Problem with the numbers."""
        room = self.settings["context"] - answer
        needed = "0"
        for index, chat in enumerate(alternatives):
            rendered = self.render(chat, form)
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
        """One call of llama.cpp for each answer, or for all of a context that decode, where that pays: as the next
        answers' prompts are read meanwhile, calls stay full."""
        taken: set[int] = set()
        for answer in list(self.answers):
            if answer.id in taken or answer not in self.answers:
                continue  # computed or ended within this step
            group = [answer]
            if answer.output:
                beside = [other for other in self.answers if other.output and other.context is answer.context]
                pays = self.batching if len(beside) == SEQUENCES else (self.rows or 1) > 1
                group = beside if pays else group
            for other in [other for other in group if other.id in self.cancelled]:
                self.end(other, "cancelled")
                group.remove(other)
            taken |= {other.id for other in group}
            if group:
                self.evaluate(group)

    def evaluate(self, group: list[Answer]) -> None:
        """Run the next tokens of `group` through the model, and take the answers one token on."""
        alone = len(group) == 1
        rows = [(answer.slot, tokens := answer.next_tokens(alone=alone), answer.wanted(tokens)) for answer in group]
        self.computing = group[0] if alone else None
        try:
            logits = group[0].context.evaluate(rows) if not self.stopped(group) else None
        except Problem as problem:
            for answer in group:
                self.drop(answer, problem.message)
            return
        finally:
            self.computing = None
        for answer, row in zip(group, logits or [[] for _ in group], strict=True):
            if answer.id in self.cancelled:
                self.end(answer, "cancelled")
            elif row:
                self.advance(answer, row)
            else:
                self.link.send(messages.Prefill(answer.id, len(answer.slot.cached), len(answer.tokens)))

    def stopped(self, group: list[Answer]) -> bool:
        """Whether a lone answer was cancelled before `computing` told the reader thread whom to abort."""
        return len(group) == 1 and group[0].id in self.cancelled

    def advance(self, answer: Answer, rows: Sequence[Any]) -> None:
        """Choose a token after each that was evaluated, as long as the guesses among them come true."""
        guessed, answer.guessed = answer.guessed, []
        right = 0
        for row, following in zip(rows, [*guessed, None], strict=True):
            self.choose(answer, row, following)
            if answer not in self.answers:
                break
            if answer.output[-1] != following:
                answer.context.go_back(answer.slot, len(guessed) - right)
                break
            right += 1
        if answer.draft is not None:
            answer.draft.checked(len(guessed), right)

    def choose(self, answer: Answer, logits: Any, guess: int | None) -> None:
        """Choose a token, show its text, and see whether that was the last. `guess`: which one it was thought to be."""
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
        if answer.draft is not None:
            answer.draft.learn(token, token == guess)
        if answer.sampling.logprobs:
            text = piece.decode("utf-8", "replace")
            answer.logprobs.append({"token": token, "text": text, "logprob": logprob(logits, token)})
        answer.unsent += answer.stream.feed(piece)
        if answer.stream.stopped:
            self.end(answer, "stop")
        elif len(answer.output) >= answer.sampling.max_tokens:
            self.end(answer, "length")
        elif now - answer.sent_at > FLUSH_S:
            self.link.send(messages.Text(answer.id, answer.unsent, len(answer.output)))
            answer.unsent, answer.sent_at = "", now

    def end(self, answer: Answer, finish: Literal["stop", "length", "cancelled"]) -> None:
        """Say the last words and free the sequence; its prompt stays there for the next question."""
        now = time.perf_counter()
        text = answer.unsent + answer.stream.finish()
        first, last = answer.first_at or now, answer.last_at or now
        prefill_s, decode_s = first - answer.prefill_began, last - first
        outputs, fresh = len(answer.output), len(answer.tokens) - answer.reused
        copied = answer.draft.copied if answer.draft is not None else None
        self.release(answer, keep=finish != "cancelled")
        if finish != "cancelled":
            answer.context.said.append(answer.output)
        done = messages.Done(
            id=answer.id,
            finish=finish,
            text=text,
            prompt=answer.prompt.text,
            alternative=answer.alternative,
            timing=messages.Timing(
                load=answer.load_ms,
                ttft_engine=(first - answer.began) * 1000 if answer.first_at else None,
                prefill=prefill_s * 1000,
                decode=decode_s * 1000,
            ),
            tokens=messages.Tokens(len(answer.tokens), answer.reused, outputs, copied),
            rates=messages.Rates(
                prefill_per_s=fresh / prefill_s if answer.first_at and prefill_s > 0 else None,
                decode_per_s=(outputs - 1) / decode_s if outputs > 1 and decode_s >= 0.05 else None,
            ),
            peak_memory=host.peak_memory(),
            note=answer.prompt.note,
            adapter_sha256=self.adapter_sha256 if answer.context is not self.contexts[None] else None,
            logprobs=answer.logprobs if answer.sampling.logprobs else None,
        )
        self.link.send(done)

    def drop(self, answer: Answer, message: str) -> None:
        """End an answer that cannot be had."""
        self.release(answer, keep=False)
        self.link.send(messages.Failed(answer.id, message))

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
        self.inbox: queue.SimpleQueue[messages.Order] = queue.SimpleQueue()
        self.chat: Chat | None = None
        self.embedder: Any = None
        self.model: Any = None

    def read(self) -> None:
        """The reader thread: pings and cancels at once, the rest in order. The process ends with it."""
        try:
            for order in self.link.orders():
                if isinstance(order, messages.Ping):
                    self.link.send(messages.Pong())
                elif isinstance(order, messages.Cancel):
                    if self.chat is not None:
                        self.chat.cancel(order.id)
                else:
                    self.inbox.put(order)
        except MemoryError:  # a process that hears nothing any more would be noticed only by its silence
            os._exit(worklog.OUT_OF_MEMORY)
        os._exit(0)

    def run(self) -> None:
        """The main thread: load, then take messages while there are any, and steps while there are answers."""
        threading.Thread(target=self.read, daemon=True).start()
        first = self.inbox.get()
        assert isinstance(first, messages.Load)
        self.load(first)
        while True:
            busy = self.chat is not None and bool(self.chat.answers)
            try:
                self.take(self.inbox.get(block=not busy))
            except queue.Empty:
                assert self.chat is not None
                self.chat.step()

    def take(self, order: messages.Order) -> None:
        """One message of the main thread's."""
        if isinstance(order, messages.Threads):
            if self.chat is not None:
                self.chat.use_threads(order.count)
        elif isinstance(order, messages.Widen):
            if self.chat is not None:
                self.link.send(messages.Room(self.chat.widen()))
        elif isinstance(order, messages.Generate) and self.chat is not None:
            self.chat.begin(order)
        elif isinstance(order, messages.Generate | messages.Asked):
            try:
                self.link.send(messages.Value(order.id, self.value(order)))
            except Problem as problem:
                self.link.send(messages.Failed(order.id, problem.message))

    def value(self, order: messages.Generate | messages.Asked) -> int | str:
        """What a message asks for. Raises Problem where this model has no such thing."""
        if isinstance(order, messages.CountTokens):
            return len(self.model.tokenize(order.text, special=False))
        if isinstance(order, messages.Embed) and self.embedder is not None:
            return base64.b64encode(self.embedder.embed(order.text).astype("<f4").tobytes()).decode("ascii")
        if isinstance(order, messages.Render) and self.chat is not None:
            prompt = self.chat.render(order.chat, order.template)
            return json.dumps({"text": prompt.text, "tokens": len(self.chat.tokens(prompt)), "note": prompt.note})
        if isinstance(order, messages.Prepare) and self.chat is not None:
            self.chat.context(order.adapter)
            return host.peak_memory()
        if isinstance(order, messages.Rows) and self.chat is not None:
            return self.chat.rows_that_pay()
        kind = "an embedder: it cannot answer" if self.embedder is not None else "a chat model: it cannot embed"
        raise Problem(f"This model is {kind}.")

    # -- loading -------------------------------------------------------------------------------------------------

    def load(self, order: messages.Load) -> None:
        """Check, hash and load the file, and try it once. Refusals are told, then the process ends."""
        try:
            with host.loading():
                self._load(order)
        except Problem as problem:
            self.link.send(messages.Refused(problem.message))
            sys.exit(0)
        except MemoryError:
            self.link.send(messages.Refused("it needs more memory than it may take"))
            sys.exit(0)

    def _load(self, order: messages.Load) -> None:
        path = Path(order.path)
        self.link.send(messages.Phase("check"))
        header = gguf_header.read(path)
        check.check(header)
        identity = order.known or gguf_header.sha256(path)
        self.link.send(messages.Phase("load", identity))
        if order.expected and identity != order.expected:
            raise Problem(
                f"its SHA-256 is {identity[:12]}…, not {order.expected[:12]}… as it should be: the file is "
                "damaged or another. Delete it, so that it is fetched or made anew"
            )
        from core.engine import worker_llama as llama

        llama.start()
        context = min(order.context, header.own("context_length"))
        threads = order.threads or host.processors()
        needed, wanted = check.memory(header, context), order.gpu_layers
        most = host.gpu_layers(order.device, wanted, header.own("block_count"), needed, llama.free_gpu_memory())
        info: dict[str, Any] = {"architecture": header.architecture, "quantization": check.quantization(header.tensors)}
        info |= {"file_sha256": identity, "template_sha256": check.template_sha256(header), **check.derivation(header)}
        info |= {"context": context, "threads": threads, "note": None}
        attempts = host.attempts(order.device, wanted, most)
        if most == 0:  # a GPU driver maps far more address space than it uses
            host.bound_memory(needed)
        for layers in attempts:
            try:
                self.serve(header, path, layers, info, choose_threads=order.threads is None, plain=order.plain)
                break
            except llama.NoRoom as problem:
                if layers == attempts[-1]:
                    raise
                self.give_up(problem, layers)
        notes = [info["note"]] if info["note"] else []
        if layers < most:
            notes.append(f"{layers} of {most} layers are on the GPU: it had no room for more.")
        if order.plain:
            notes.append(PLAIN_NOTE)
        info["note"] = " ".join(notes) or None
        kind: Literal["chat", "embedder"] = "chat" if self.chat is not None else "embedder"
        self.link.send(messages.Loaded(kind, info["threads"], info, host.peak_memory()))

    def serve(
        self,
        header: gguf_header.Header,
        path: Path,
        layers: int,
        info: dict[str, Any],
        *,
        choose_threads: bool,
        plain: bool,
    ) -> None:
        """Load the file with so many layers on the GPU, and be what it is from now on; complete `info`."""
        from core.engine.worker_llama import Model

        self.model = Model(path, layers, plain=plain)
        info |= {"device": "gpu" if layers else "cpu", "gpu_layers": layers}
        serve = self.serve_embedder if header.architecture in check.EMBEDDERS else self.serve_chat
        serve(header, info, choose_threads=choose_threads)

    def give_up(self, problem: Problem, layers: int) -> None:
        """Free what was loaded for an attempt that had no room."""
        print(f"with {layers} layers on the GPU: {problem.message}", file=sys.stderr, flush=True)
        for context in self.chat.contexts.values() if self.chat is not None else ():
            context.free()
        if self.model is not None:
            self.model.free()
        self.chat = self.model = None

    def serve_embedder(self, header: gguf_header.Header, info: dict[str, Any], *, choose_threads: bool) -> None:
        """Be an embedder from now on; complete `info`."""
        from core.engine.worker_llama import Embedder

        self.embedder = Embedder(self.model, info["threads"], header.own("pooling_type"))
        self.link.send(messages.Phase("canary", gpu=info["gpu_layers"] > 0))
        self.embedder.embed("canary")
        info |= {"context": self.embedder.limit, "dimensions": self.embedder.dimensions}

    def serve_chat(self, header: gguf_header.Header, info: dict[str, Any], *, choose_threads: bool) -> None:
        """Be a language model from now on; complete `info`."""
        from core.engine import worker_trial

        self.link.send(messages.Phase("chat template"))
        bos, eos = (self.model.special_text(token) for token in (self.model.bos, self.model.eos))
        template = ChatTemplate(header.values.get("tokenizer.chat_template"), bos, eos)
        note = template.render([{"role": "user", "content": "Hello"}]).note
        self.link.send(messages.Phase("canary", gpu=info["gpu_layers"] > 0))
        chunk = CHUNK if header.file_size < LARGE else CHUNK_LARGE
        settings = {"context": info["context"], "threads": info["threads"], "chunk": chunk, "header": header}
        settings["sequences"] = SEQUENCES
        self.chat = Chat(self.link, self.model, template, settings)
        context = self.chat.context(None)
        trial = worker_trial.run(self.model, context, info["threads"], choose_threads=choose_threads)
        settings |= {"threads": trial.threads, "trial": trial, "exact": info["gpu_layers"] == 0}
        self.chat.batching, self.chat.guessing = trial.batching, trial.guessing
        info |= {"threads": trial.threads, "batching": trial.batching, "guessing": trial.guessing}
        info |= {"canary": trial.text}
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
