"""A language model of 150 KB with random weights: talks nonsense, loads at once, and breaks in any way wanted."""

from pathlib import Path

import gguf
import numpy as np

HEADS, CONTEXT = 2, 512
TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def alphabet() -> list[str]:
    """GPT-2's 256 printable stand-ins for bytes, in the order of the bytes."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = iter(range(256, 512))
    return [chr(byte) if byte in plain else chr(next(others)) for byte in range(256)]


def weights(seed: int = 1, width: int = 32, layers: int = 2) -> dict[str, np.ndarray]:
    """Name -> float32 tensor, in NumPy's order (outputs, inputs)."""
    random = np.random.default_rng(seed)
    rows = 256 + 3

    def matrix(*shape: int) -> np.ndarray:
        return random.normal(0, 2.0 / shape[-1] ** 0.5, shape).astype(np.float32)

    made = {"token_embd.weight": matrix(rows, width), "output_norm.weight": np.ones(width, np.float32)}
    made["output.weight"] = matrix(rows, width)
    for layer in range(layers):
        block = f"blk.{layer}."
        for name in ("attn_norm", "ffn_norm"):
            made[f"{block}{name}.weight"] = np.ones(width, np.float32)
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            made[f"{block}{name}.weight"] = matrix(width, width)
        made[f"{block}ffn_gate.weight"] = matrix(2 * width, width)
        made[f"{block}ffn_up.weight"] = matrix(2 * width, width)
        made[f"{block}ffn_down.weight"] = matrix(width, 2 * width)
    return made


def write(
    path: Path,
    *,
    template: str | None = TEMPLATE,
    seed: int = 1,
    width: int = 32,
    layers: int = 2,
    tensors: dict[str, np.ndarray] | None = None,
) -> Path:
    """A sound tiny model at `path`. `width` 256 and 8 layers take about 2 ms a token: time enough to stop it."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_license("CC0-1.0")
    writer.add_block_count(layers)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(width)
    writer.add_feed_forward_length(2 * width)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(width // HEADS)
    letters = alphabet()
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([*letters, "<|im_start|>", "<|im_end|>", "<|endoftext|>"])
    writer.add_token_types([1] * 256 + [3] * 3)
    writer.add_token_merges([f"{letters[0]} {letters[1]}"])
    writer.add_bos_token_id(258)
    writer.add_eos_token_id(258)
    writer.add_add_bos_token(False)
    if template is not None:
        writer.add_chat_template(template)
    for name, tensor in (tensors if tensors is not None else weights(seed, width, layers)).items():
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
