"""A helper process: log-probabilities of the next token from llama.cpp. llama_cpp stays out of the tests' own process.

usage: python llama_logits.py MODEL [ADAPTER]   standard input: {"prompts": [[token ids]], "ids": [[token ids]]}
standard output: {"top": [id], "logprobs": [[of the ids asked for]]}

One thread: two that wait for one another beside the other tests took minutes where one takes seconds.
"""

import json
import sys

import numpy as np
from llama_cpp import Llama


def main() -> None:
    model, *adapter = sys.argv[1:]
    wanted = json.load(sys.stdin)
    llama = Llama(
        model, lora_path=adapter[0] if adapter else None, n_ctx=1024, n_threads=1, n_threads_batch=1, verbose=False
    )
    top, logprobs = [], []
    for tokens, ids in zip(wanted["prompts"], wanted["ids"], strict=True):
        llama.reset()
        llama.eval(tokens)
        logits = np.ctypeslib.as_array(llama._ctx.get_logits(), shape=(llama.n_vocab(),)).astype(np.float64)
        scores = logits - logits.max()
        scores -= np.log(np.exp(scores).sum())
        top.append(int(scores.argmax()))
        logprobs.append([float(scores[i]) for i in ids])
    print(json.dumps({"top": top, "logprobs": logprobs}))


main()
