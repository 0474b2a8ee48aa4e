"""Stands where the training program does: the same options, progress lines and files, without PyTorch.

A row that says HOLD makes the first run wait after its checkpoint for whoever started it to go; FAIL makes it fail,
KILL ends it by a signal.
"""

import argparse
import os
import sys
from pathlib import Path

import numpy as np
from gguf import GGUFWriter

parser = argparse.ArgumentParser()
for name in ("base", "data", "held-out", "out"):
    parser.add_argument(f"--{name}", type=Path, required=True)
for name in ("passes", "learning-rate", "tokens-per-step", "checkpoint-every"):
    parser.add_argument(f"--{name}", type=float, required=True)
for name in ("resume", "adapter-only", "with-parent"):
    parser.add_argument(f"--{name}", action="store_true")
given = parser.parse_args()
rows = given.data.read_text(encoding="utf-8")
first = 0
if given.resume:
    first = int((given.out / "checkpoint.pt").read_text())
    print(f"resumed at step {first} of 10", file=sys.stderr, flush=True)
for step in range(first + 1, 11):
    print(
        f"step {step}/10  loss {4 / step:.4f}  50 tokens/s  {10 - step:.1f} minutes left", file=sys.stderr, flush=True
    )
    if step == 5:
        (given.out / "checkpoint.pt").write_text("5")
        if "FAIL" in rows:
            sys.exit("error: A sample has 9000 tokens, the limit is 2048")
        if "KILL" in rows and not given.resume:
            os.kill(os.getpid(), 9)
        if "HOLD" in rows:
            sys.stdin.buffer.read()
            sys.exit(130)
print("  held out (exact, loss): {'held out': [0.5, 1.2345]}", file=sys.stderr, flush=True)
writer = GGUFWriter(given.out / "adapter.gguf", "llama")
writer.add_type("adapter")
writer.add_tensor("blk.0.attn_q.weight.lora_a", np.zeros((2, 32), np.float32))
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
