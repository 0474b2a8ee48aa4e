"""Language models in worker processes that may die without harm: what to ask of them, and what comes back.

The interface is ModelSpec, Sampling, Request, Generation, Result, Prompt and Engine; the rest is private.

    interface.py    the words above, as data
    engine.py       the calls: submit, load, unload, status, embed, tokens, prompt, devices, close
    supervisor.py   the one thread that starts workers, feeds and watches them, and notices when they die
    policy.py       its rules as pure functions: who answers next, who makes way, threads, deadlines, deaths
    messages.py     what supervisor and worker say to each other, as types, written and read in one place
    wire.py         length-prefixed JSON over a socket pair
    worker.py       the worker process: messages in, messages out
    worker_llama.py the only module that imports llama_cpp, and only in a worker
    worker_trial.py the first tokens of a loaded model: is it sound, what pays here?
    draft.py        guesses at what an answer goes on with, from what was read
    template.py     the model's own chat template, rendered without trusting it or the texts
    chats.py        chat forms to choose from for a file without a template
    prefix.py       how much of an evaluated prompt serves the next one
    streaming.py    bytes to text: UTF-8 and stop strings over token borders
    gguf_header.py  a bounded reader of GGUF headers
    check.py        may this file be loaded, and what is it?
    inspection.py   the same as one answer, for the command and the page
    host.py         this machine and this process: processors, memory, life
    vitals.py       signs of life of another process
    worklog.py      why a worker ended, in words
"""

from core.engine.engine import Engine
from core.engine.interface import Generation, Message, ModelSpec, Prompt, Request, Result, Sampling

__all__ = ["Engine", "Generation", "Message", "ModelSpec", "Prompt", "Request", "Result", "Sampling"]
