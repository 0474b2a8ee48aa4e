"""Golden logits of the standard base in PyTorch, for tests/models/test_standard.py.

    python tests/campaigns/standard_golden.py        needs models/training/requirements.txt and the fetched base

Float32, weights de-quantized from the file as shipped. The suite has no PyTorch: it holds llama.cpp to these.
Those of the fine-tune are written by its training (models/adapter).
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from models.training import export, lora, run
from models.training.chat import messages

OUT = Path(__file__).parents[1] / "models" / "standard_golden.json"
CHATS = [run.GOLDEN[number] for number in (0, 3, 5, 7)]


def main() -> None:
    base = run._bundled_base("standard")
    tokenizer = lora.load_tokenizer(base)
    model = lora.load_model(base, rank=4, alpha=8, seed=0, rounded=False)  # a fresh adapter's B is zero
    chats = [(messages(question, passages, task=task), begun) for question, passages, task, begun in CHATS]
    found = export.golden(model, tokenizer, chats)
    print([tokenizer.decode([row["ids"][0]]) for row in found], [row["logprobs"][0] for row in found])
    export.write_json(found, OUT)


if __name__ == "__main__":
    main()
