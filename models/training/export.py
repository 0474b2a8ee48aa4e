"""The LoRA matrices to a GGUF adapter and back, and golden logits to check it by. Knows the layout of the GGUFs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGUFWriter

from core.errors import Problem
from core.project.instruction import Message

from . import architecture

NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def permute(rows: np.ndarray, heads: int) -> np.ndarray:
    """Rows (out, any) of q or k from the transformers order (halves of each head) to the GGUF order (interleaved)."""
    out, width = rows.shape
    return rows.reshape(heads, 2, out // heads // 2, width).swapaxes(1, 2).reshape(out, width)


def unpermute(rows: np.ndarray, heads: int) -> np.ndarray:
    """The inverse of `permute`."""
    out, width = rows.shape
    return rows.reshape(heads, out // heads // 2, 2, width).swapaxes(1, 2).reshape(out, width)


def pairs(model: Any) -> dict[str, np.ndarray]:
    """GGUF tensor name -> float16 matrix, `….lora_a` (r, in) and `….lora_b` (out, r), from a PEFT model."""
    found: dict[str, np.ndarray] = {}
    for key, name, heads in _matrices(model):
        matrix = model.state_dict()[key].float().cpu().numpy()
        found[name] = (permute(matrix, heads) if heads else matrix).astype(np.float16)
    return found


def load_adapter(model: Any, path: Path) -> None:
    """Put a GGUF adapter's matrices into a PEFT model of the same rank: the inverse of `pairs`, up to float16.

    Raises `Problem` when the file is no such adapter.
    """
    import torch  # here only: the cards use this module where PyTorch is absent
    from gguf import GGUFReader

    try:
        tensors = {tensor.name: tensor.data for tensor in GGUFReader(path).tensors}
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise Problem(f"{path.name} cannot be read as an adapter: {error}") from error
    state = model.state_dict()
    for key, name, heads in _matrices(model):
        matrix = tensors.pop(name, None)
        if matrix is None or tuple(matrix.shape) != tuple(state[key].shape):
            shape = "missing" if matrix is None else f"of shape {tuple(matrix.shape)}"
            raise Problem(f"{path.name} does not fit: {name} is {shape}, expected {tuple(state[key].shape)}.")
        exact = np.array(matrix, dtype=np.float32)
        state[key].copy_(torch.from_numpy(unpermute(exact, heads) if heads else exact))
    if tensors:
        raise Problem(f"{path.name} does not fit: it also holds {min(tensors)}.")


def _matrices(model: Any) -> Iterator[tuple[str, str, int]]:
    """(PEFT's key, GGUF name, heads to permute by or 0) of every LoRA matrix."""
    config = model.get_base_model().config
    kind = architecture.CONFIG.get(config.model_type, config.model_type)
    interleaved = architecture.INTERLEAVED[kind]
    heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads} if interleaved else {}
    for key in model.state_dict():
        if ".lora_" in key:
            layer, _, rest = key.split(".layers.")[1].partition(".")
            module, _, side = rest.partition(".lora_")
            name = NAMES[module]
            yield key, f"blk.{layer}.{name}.weight.lora_{side[0].lower()}", heads.get(name, 0) if side[0] == "B" else 0


def write_adapter(
    tensors: Mapping[str, np.ndarray], alpha: float, metadata: Mapping[str, str], out: Path, kind: str = "llama"
) -> None:
    """Write the adapter GGUF atomically, for a base of the architecture `kind`.

    `metadata`: strings such as `general.license`, `derivation.base_sha256`.
    """
    temporary = out.with_name(f".{out.name}.part")
    writer = GGUFWriter(temporary, kind)
    try:
        writer.add_string("general.type", "adapter")
        writer.add_string("adapter.type", "lora")
        writer.add_float32("adapter.lora.alpha", alpha)
        for key, value in metadata.items():
            writer.add_string(key, value)
        for name in sorted(tensors):
            writer.add_tensor(name, tensors[name])
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        temporary.replace(out)
    finally:
        temporary.unlink(missing_ok=True)


def golden(
    model: Any, tokenizer: Any, chats: Sequence[tuple[Sequence[Message], str]], top: int = 20
) -> list[dict[str, Any]]:
    """For each chat and beginning of its answer the `top` highest log-probabilities of the next token, in float32.

    Returns dicts: prompt (text, beginning included), tokens (ids), ids (top), logprobs (natural logarithm, top).
    """
    import torch  # here only: the cards use this module where PyTorch is absent

    found = []
    for chat, beginning in chats:
        text = tokenizer.apply_chat_template(list(chat), add_generation_prompt=True, tokenize=False) + beginning
        ids = tokenizer(text, add_special_tokens=False).input_ids
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([ids], device=model.device), logits_to_keep=1).logits[0, -1]
        best = logits.float().log_softmax(-1).topk(top)
        logprobs = [round(x, 5) for x in best.values.tolist()]
        found.append({"prompt": text, "tokens": ids, "ids": best.indices.tolist(), "logprobs": logprobs})
    return found


def write_json(value: Any, out: Path) -> None:
    """Write JSON so that a diff reads well: one line per item of a list and per entry of an object at the top."""
    out.write_text(_lines(value) + "\n", encoding="utf-8")


def _lines(value: Any, depth: int = 2) -> str:
    if depth and isinstance(value, dict) and value:
        return "{\n" + ",\n".join(f"{json.dumps(k)}: {_lines(v, depth - 1)}" for k, v in value.items()) + "\n}"
    if depth and isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(json.dumps(item, ensure_ascii=False) for item in value) + "\n]"
    return json.dumps(value, ensure_ascii=False)
