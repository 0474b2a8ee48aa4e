"""A LoRA adapter drawn from a seed over every linear layer of a base: the same on every machine, nothing to commit."""

from pathlib import Path

import numpy as np

from core.engine import gguf_header
from models.training import export

RANK = 4
SCALE = 0.02


def adapter(base: Path, out: Path) -> None:
    """Write the adapter for `base`, with rows in the order of its GGUF."""
    random = np.random.default_rng(16)
    made = {}
    for tensor in sorted(gguf_header.read(base).tensors, key=lambda tensor: tensor.name):
        layer, _, name = tensor.name.removesuffix(".weight").rpartition(".")
        if layer.startswith("blk.") and name in export.NAMES.values() and tensor.name.endswith(".weight"):
            width, height = tensor.shape
            made[f"{tensor.name}.lora_a"] = (random.normal(size=(RANK, width)) / width**0.5).astype(np.float16)
            made[f"{tensor.name}.lora_b"] = (random.normal(size=(height, RANK)) * SCALE).astype(np.float16)
    export.write_adapter(made, 2.0 * RANK, {"general.name": "drawn"}, out, gguf_header.read(base).architecture)
