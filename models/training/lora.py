"""The model under training: a base from a GGUF file or a folder, LoRA on all its linear layers, loss on answers only.

Uses transformers and PEFT. Knows nothing of the data's meaning; `packing` gives it rows, `export` takes its weights.
"""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from peft.helpers import disable_input_dtype_casting
from transformers import AutoModelForCausalLM, AutoTokenizer

from core.errors import Problem

from .packing import IGNORE, Row, batch

LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def load_tokenizer(base: Path) -> Any:
    """The tokenizer of a GGUF file or of a folder with safetensors. Raises `Problem` when it cannot be read."""
    return _load(AutoTokenizer, base)


@cache
def precision() -> torch.dtype:
    """bfloat16 on a GPU and on CPUs that compute in it, else float32.

    Timed, since a CPU without bfloat16 units may take three times as long in it as in float32.
    """
    if torch.cuda.is_available():
        return torch.bfloat16

    def seconds(kind: torch.dtype) -> float:
        left, right = torch.ones(512, 576, dtype=kind), torch.ones(576, 1536, dtype=kind)
        times = []
        for _ in range(9):
            begun = time.perf_counter()
            left @ right
            times.append(time.perf_counter() - begun)
        return min(times)

    return min((torch.float32, torch.bfloat16), key=seconds)


def load_model(base: Path, rank: int, alpha: int, seed: int, quantized: bool = False, rounded: bool = True) -> Any:
    """The base with fresh LoRA matrices, trained ones float32, frozen linear weights in `precision()` (float32
    unless `rounded`).

    `quantized`: QLoRA, 4-bit frozen weights through bitsandbytes; needs an NVIDIA GPU and a safetensors folder.
    """
    torch.manual_seed(seed)
    # Eager attention: on a CPU it beats the fused kernel under a mask at these lengths (measured 1.1 to 1.2 times).
    options: dict[str, Any] = {"dtype": torch.float32, "attn_implementation": "eager"}
    if quantized:
        if not torch.cuda.is_available() or base.is_file():
            raise Problem("QLoRA needs an NVIDIA GPU and a safetensors folder as base; leave --qlora out.")
        from transformers import BitsAndBytesConfig

        options["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.bfloat16
        )
    model = _load(AutoModelForCausalLM, base, **options)
    model.config.use_cache = False
    if rounded and not quantized:
        for module in model.modules():
            if isinstance(module, torch.nn.Linear) and module is not model.lm_head:
                module.to(precision())
    model = get_peft_model(model, LoraConfig(r=rank, lora_alpha=alpha, lora_dropout=0.0, target_modules=LINEAR))
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    if torch.cuda.is_available() and not quantized:
        model.to("cuda")
    return model


def answer_logits(model: Any, rows: list[Row], pad: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Logits (answers, vocabulary) float32, labels (answers,) and (row, column) (answers, 2) of the answer positions.

    The vocabulary is a fifth of the work of a small model; a row's prompt needs none of it.
    """
    device = next(model.parameters()).device
    tensors = {name: torch.from_numpy(value).to(device) for name, value in batch(rows, pad).items()}
    inner = model.get_base_model()
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision() is torch.bfloat16):
        with disable_input_dtype_casting(model):  # autocast already does it
            hidden = inner.model(
                input_ids=tensors["ids"],
                position_ids=tensors["positions"],
                attention_mask=torch.where(tensors["mask"], 0.0, torch.finfo(torch.bfloat16).min),
            ).last_hidden_state
        chosen = tensors["labels"] != IGNORE
        logits = inner.lm_head(hidden[chosen])
    return logits.float(), tensors["labels"][chosen], chosen.nonzero()


def loss(model: Any, rows: list[Row], pad: int) -> torch.Tensor:
    """Mean cross-entropy over the answer tokens of the rows."""
    logits, labels, _ = answer_logits(model, rows, pad)
    return torch.nn.functional.cross_entropy(logits, labels)


def _load(kind: Any, base: Path, **options: Any) -> Any:
    try:
        if base.is_file():
            return kind.from_pretrained(str(base.parent), gguf_file=base.name, **options)
        if base.is_dir():
            return kind.from_pretrained(str(base), local_files_only=True, **options)
    except (OSError, ValueError, KeyError, ImportError, NotImplementedError) as error:
        raise Problem(f"{base.name} cannot be read as a base model: {error}") from error
    raise Problem(f"No base model at {base}: give a GGUF file or a folder with safetensors.")
