"""May this file be loaded? The verdict from a header alone, before llama.cpp sees the file. Knows no process.

llama.cpp refuses most broken files cleanly, but aborts or hangs on some. Each rule here stands for a way to do that
or to load silently what cannot work. Damage behind the header is for hashes and the canary to find.
"""

import math
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from core.engine import gguf_header
from core.engine.gguf_header import Header, LongArray, Tensor
from core.engine.interface import SEQUENCES
from core.errors import Problem

EMBEDDERS = ("bert", "nomic-bert", "jina-bert-v2")
TOKENIZERS = ("llama", "gpt2", "bert", "t5", "rwkv", "plamo2")
ROPE_SCALINGS = ("none", "linear", "yarn", "longrope")
MAX_TEMPLATE = 256 * 1024  # characters
WORK_BYTES = 96 * 2**20  # interpreter, libraries and llama.cpp's work space beside weights and context, as measured

# Whole numbers a model may hold: name, smallest, largest, whether it must be there. Lists hold one a layer.
_WHOLE = (
    ("block_count", 1, 512, True),
    ("context_length", 1, 2**27, True),
    ("embedding_length", 1, 2**17, True),
    ("feed_forward_length", 0, 2**20, False),
    ("attention.head_count", 0, 4096, True),
    ("attention.head_count_kv", 0, 4096, False),
    ("attention.key_length", 1, 2**14, False),
    ("attention.value_length", 1, 2**14, False),
    ("rope.dimension_count", 0, 2**14, False),
    ("attention.sliding_window", 0, 2**31 - 1, False),
    ("expert_count", 0, 1024, False),
    ("expert_used_count", 0, 1024, False),
    ("vocab_size", 1, 2**22, False),
    ("pooling_type", 0, 4, False),
)
_LAYER = re.compile(r"blk\.(\d+)\.")


def check(header: Header) -> None:
    """Raises Problem, in one plain line, when a language model or embedder must not be loaded."""
    if not header.architecture or not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,40}", header.architecture):
        raise Problem("The header names no architecture.")
    if header.values.get("general.type", "model") != "model":
        raise Problem(f"The file is no model but of type '{header.values['general.type']!s:.40}'.")
    for name, low, high, needed in _WHOLE:
        _whole(header, name, low, high, needed)
    _floats(header)
    _attention(header)
    _check_tensors(header)
    _check_tokenizer(header)


def check_lora(header: Header) -> None:
    """Raises Problem unless the file is a LoRA adapter of sound shapes, for whatever model."""
    values = header.values
    if values.get("general.type") != "adapter" or values.get("adapter.type") != "lora":
        raise Problem("The file is no LoRA adapter.")
    alpha = values.get("adapter.lora.alpha")
    if not isinstance(alpha, float) or not math.isfinite(alpha):
        raise Problem("The adapter names no scale (adapter.lora.alpha).")
    for target, pair in _pairs(header).items():
        down, up = pair.get("lora_a", ()), pair.get("lora_b", ())
        if len(down) != 2 or len(up) != 2 or down[1] != up[0]:
            raise Problem(f"The adapter's two parts for '{target:.60}' do not fit each other.")


def check_adapter(header: Header, base: Header) -> None:
    """Raises Problem unless `header` is a LoRA that fits the model with the header `base`."""
    check_lora(header)
    if header.architecture != base.architecture:
        raise Problem(f"The adapter is for '{header.architecture:.40}', the model is '{base.architecture:.40}'.")
    shapes = {tensor.name: tensor.shape for tensor in base.tensors}
    for target, pair in _pairs(header).items():
        if target not in shapes:
            raise Problem(f"The adapter changes '{target:.60}', which the model does not have.")
        if (pair["lora_a"][0], pair["lora_b"][1]) != shapes[target]:
            raise Problem(f"The adapter's shapes for '{target:.60}' do not fit the model's.")


def _pairs(header: Header) -> dict[str, dict[str, tuple[int, ...]]]:
    """Changed tensor -> shapes of its "lora_a" (inputs, rank) and "lora_b" (rank, outputs)."""
    pairs: dict[str, dict[str, tuple[int, ...]]] = {}
    for tensor in header.tensors:
        target, _, part = tensor.name.rpartition(".")
        if part not in ("lora_a", "lora_b"):
            raise Problem(f"The adapter holds '{tensor.name:.60}', which is no part of a LoRA.")
        pairs.setdefault(target, {})[part] = tensor.shape
    return pairs


def describe(path: Path, header: Header) -> dict[str, Any]:
    """What `python -m core inspect` prints of a header that `check` let through."""
    values, template = header.values, header.values.get("tokenizer.chat_template")
    tokens = values.get("tokenizer.ggml.tokens")
    return {
        "file": path.name,
        "bytes": header.file_size,
        "architecture": header.architecture,
        "kind": "embedder" if header.architecture in EMBEDDERS else "chat",
        "name": _text(values.get("general.name")),
        "license": _text(values.get("general.license")),
        "parameters": sum(tensor.elements for tensor in header.tensors),
        "quantization": quantization(header.tensors),
        "quantization_mix": mix(header.tensors),
        "layers": header.own("block_count"),
        "trained_context": header.own("context_length"),
        "tokenizer": _text(values.get("tokenizer.ggml.model")),
        "pre_tokenizer": _text(values.get("tokenizer.ggml.pre")),
        "vocabulary": _length(tokens),
        "chat_template": _text(template),
        "template_sha256": template_sha256(header),
        **derivation(header),
    }


def derivation(header: Header) -> dict[str, Any]:
    """Where a derived file comes from, as it says itself; None where it says nothing."""
    names = ("source_sha256", "recipe", "adapter_sha256")  # as core.weights.merge writes them
    return {name: _text(header.values.get(f"derivation.{name}")) for name in names}


def template_sha256(header: Header) -> str | None:
    """The SHA-256 of the chat template's UTF-8, None when there is none."""
    template = _text(header.values.get("tokenizer.chat_template"))
    return None if template is None else gguf_header.text_sha256(template)


def quantization(tensors: Iterable[Tensor]) -> str:
    """The type that holds most of the weights' bytes."""
    held = mix(tensors)
    return max(held, key=lambda kind: held[kind])


def mix(tensors: Iterable[Tensor]) -> dict[str, int]:
    """Bytes of weights by type, largest first."""
    held: dict[str, int] = {}
    for tensor in tensors:
        held[tensor.kind] = held.get(tensor.kind, 0) + tensor.size
    return dict(sorted(held.items(), key=lambda pair: -pair[1]))


def memory(header: Header, context: int, sequences: int = SEQUENCES) -> int:
    """Estimated bytes to run the model: weights, 16-bit keys and values for `context` tokens a sequence, work space."""
    weights = sum(tensor.size for tensor in header.tensors)
    return weights + sequences * context * _cache_bytes(header) + WORK_BYTES


def _cache_bytes(header: Header) -> int:
    """Bytes of keys and values a token takes, over all layers."""
    layers, width = header.own("block_count"), header.own("embedding_length")
    heads = _per_layer(header.own("attention.head_count"), layers)
    heads_kv = _per_layer(header.own("attention.head_count_kv"), layers) or heads
    total = 0
    for head, head_kv in zip(heads, heads_kv, strict=False):
        size = width // head if head else 0
        key = header.own("attention.key_length") or size
        value = header.own("attention.value_length") or size
        total += head_kv * (key + value) * 2
    return total


# -- the rules -----------------------------------------------------------------------------------------------------


def _whole(header: Header, name: str, low: int, high: int, needed: bool) -> None:
    value = header.own(name)
    if value is None and not needed:
        return
    for number in value if isinstance(value, list) and value else [value]:
        if type(number) is not int or not low <= number <= high:
            raise Problem(
                f"'{header.architecture}.{name}' is {number!r:.40}; between {low:,} and {high:,} is possible."
            )
    if isinstance(value, list) and len(value) != header.own("block_count"):
        raise Problem(f"'{header.architecture}.{name}' holds {len(value):,} values, not one a layer.")


def _floats(header: Header) -> None:
    """All numbers are finite; epsilons are small and positive; rotary settings are positive and of a known kind."""
    for key, value in header.values.items():
        for number in value if isinstance(value, list) else [value]:
            if isinstance(number, float) and not math.isfinite(number):
                raise Problem(f"'{key:.60}' is {number}, not a finite number.")
        if key.endswith("epsilon") and not (isinstance(value, float) and 0 < value < 0.1):
            raise Problem(f"'{key:.60}' is {value!r:.40}; between 0 and 0.1 is possible.")
        if re.search(r"\.rope\.(freq_base|scale_linear|scaling\.factor)$", key) and not (
            isinstance(value, float) and value > 0
        ):
            raise Problem(f"'{key:.60}' is {value!r:.40}; only a positive number is possible.")
    kind = header.own("rope.scaling.type")
    if kind is not None and kind not in ROPE_SCALINGS:
        raise Problem(f"The rope scaling '{kind!s:.40}' is not known.")


def _attention(header: Header) -> None:
    """Heads divide what they share; a head's rotated part is no larger than the head."""
    layers, width = header.own("block_count"), header.own("embedding_length")
    heads = _per_layer(header.own("attention.head_count"), layers)
    heads_kv = _per_layer(header.own("attention.head_count_kv"), layers) or heads
    for head, head_kv in zip(heads, heads_kv, strict=False):
        if head and head_kv and head % head_kv:
            raise Problem(f"{head:,} attention heads cannot share {head_kv:,} keys and values.")
        if head and head > width:
            raise Problem(f"{head:,} attention heads do not fit an embedding of {width:,}.")
    size = header.own("attention.key_length") or (width // heads[0] if heads[0] else 0)
    turned = header.own("rope.dimension_count")
    if turned is not None and size and (turned > size or turned % 2):
        raise Problem(f"{turned:,} rotary dimensions do not fit heads of {size:,}.")
    used, count = header.own("expert_used_count") or 0, header.own("expert_count") or 0
    if used > count:
        raise Problem(f"{used:,} experts are to be used, of {count:,}.")


def _check_tensors(header: Header) -> None:
    named = {tensor.name: tensor for tensor in header.tensors}
    embedding = named.get("token_embd.weight")
    if embedding is None or len(embedding.shape) != 2:
        raise Problem("There are no token embeddings ('token_embd.weight') in the file.")
    if embedding.shape[0] != header.own("embedding_length"):
        raise Problem(
            f"The token embeddings are {embedding.shape[0]:,} wide, the header says {header.own('embedding_length'):,}."
        )
    for tensor in header.tensors:
        if len([extent for extent in tensor.shape if extent > 1]) <= 1 and tensor.kind != "F32" and tensor.elements > 1:
            raise Problem(f"'{tensor.name:.60}' is {tensor.kind}; norms and biases must be F32.")
    layers = {int(found[1]) for tensor in header.tensors if (found := _LAYER.match(tensor.name))}
    if layers and layers != set(range(header.own("block_count"))):
        raise Problem(f"The header says {header.own('block_count'):,} layers; the file holds {len(layers):,}.")
    if not layers:
        raise Problem("The file holds no layers.")


def _check_tokenizer(header: Header) -> None:
    values = header.values
    kind, tokens = values.get("tokenizer.ggml.model"), values.get("tokenizer.ggml.tokens")
    if kind not in TOKENIZERS:
        raise Problem(f"The tokenizer '{kind!s:.40}' is not one that can be used.")
    size = _length(tokens)
    if size is None or size < 2 or not _strings(tokens):
        raise Problem("The file holds no vocabulary.")
    if not (tokens.distinct if isinstance(tokens, LongArray) else len(set(tokens or ())) == size):
        raise Problem("The vocabulary holds the same token twice.")
    rows = next(tensor.shape[1] for tensor in header.tensors if tensor.name == "token_embd.weight")
    if rows != size:
        raise Problem(f"The vocabulary has {size:,} tokens, the embeddings {rows:,}.")
    for name in ("scores", "token_type"):
        length = _length(values.get(f"tokenizer.ggml.{name}"))
        if length is not None and length != size:
            raise Problem(f"The tokenizer's {name} are {length:,}, its tokens {size:,}.")
    _check_tokenizer_kind(kind, values)
    for key, value in values.items():
        if re.fullmatch(r"tokenizer\.ggml\.\w+_token_id", key) and type(value) is not int:
            raise Problem(f"'{key:.60}' is {value!r:.40}, not a token's number.")
        if re.fullmatch(r"tokenizer\.ggml\.add_\w+", key) and type(value) is not bool:
            raise Problem(f"'{key:.60}' is {value!r:.40}, not true or false.")
    template = values.get("tokenizer.chat_template")
    if template is not None and (not isinstance(template, str) or len(template) > MAX_TEMPLATE):
        raise Problem(f"The chat template is no text of at most {MAX_TEMPLATE:,} characters.")


def _check_tokenizer_kind(kind: str, values: dict[str, Any]) -> None:
    """What each kind of tokenizer needs, or llama.cpp aborts when it is used."""
    tokens, merges = values.get("tokenizer.ggml.tokens"), values.get("tokenizer.ggml.merges")
    if kind == "gpt2" and not (_length(merges) and _strings(merges)):
        raise Problem("The tokenizer is byte-pair encoding, and its merges are missing.")
    if kind == "llama":
        if _length(values.get("tokenizer.ggml.scores")) is None:
            raise Problem("The tokenizer is SentencePiece, and its scores are missing.")
        newline = tokens.newline if isinstance(tokens, LongArray) else "<0x0A>" in (tokens or [])
        if not newline:
            raise Problem("The tokenizer calls itself SentencePiece, but its vocabulary has no byte tokens.")
    types = values.get("tokenizer.ggml.token_type")
    ends = types.ends if isinstance(types, LongArray) else (min(types), max(types)) if types else (0, 0)
    if ends is None or not all(type(end) is int for end in ends) or ends[0] < 0 or ends[1] > 6:
        raise Problem("The tokenizer's token types are none that exist.")


# -- small helpers -------------------------------------------------------------------------------------------------


def _per_layer(value: Any, layers: int) -> list[int]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value] * layers


def _length(value: Any) -> int | None:
    if isinstance(value, LongArray):
        return value.length
    return len(value) if isinstance(value, list) else None


def _strings(value: Any) -> bool:
    if isinstance(value, LongArray):
        return value.kind == gguf_header.STRING
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
