"""Which bases can be trained, told from the file's header before anything heavy is imported. Knows no PyTorch.

A supported base has the linear layers that `export.NAMES` lists, and its GGUF either keeps the rows of q and k in the
order of transformers or, as llama's converter does, interleaves the halves of each head.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from core.engine import gguf_header
from core.errors import Problem

INTERLEAVED: Final = {"llama": True, "qwen2": False, "gemma3": False}  # architecture -> rows of q and k in its GGUF
CONFIG: Final = {"gemma3_text": "gemma3"}  # model_type of a transformers config -> architecture of a GGUF


def of(base: Path) -> str:
    """The architecture of a GGUF file or of a folder with safetensors. Raises Problem when it cannot be trained."""
    if base.is_dir():
        try:
            kind = str(json.loads((base / "config.json").read_text(encoding="utf-8")).get("model_type"))
        except (OSError, ValueError, AttributeError) as error:
            raise Problem(
                f"{base.name} holds no readable config.json: give a GGUF file or a model's folder."
            ) from error
    elif base.is_file():
        kind = gguf_header.read(base).architecture
    else:
        raise Problem(f"No base model at {base}: give a GGUF file or a folder with safetensors.")
    kind = CONFIG.get(kind, kind)
    if kind not in INTERLEAVED:
        raise Problem(f"{base.name} is a {kind!r} model: bases of {', '.join(INTERLEAVED)} can be trained.")
    return kind
