"""Golden logits of the standard base in PyTorch, alone and with a drawn adapter, for tests/models/test_standard.py.

    python tests/campaigns/standard_golden.py        needs models/training/requirements.txt and the fetched base

Float32, weights de-quantized from the file as shipped. tests/models/test_standard.py holds llama.cpp and our merging
against these numbers, where neither PyTorch nor an adapter is there.
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from models.training import export, lora, run
from models.training.chat import messages
from tests.models import synthetic

OUT = Path(__file__).parents[1] / "models" / "standard_golden.json"
CHATS = [run.GOLDEN[number] for number in (0, 3, 5, 7)]


def main() -> None:
    base = run._bundled_base("standard")
    tokenizer = lora.load_tokenizer(base)
    model = lora.load_model(base, synthetic.RANK, 2 * synthetic.RANK, seed=0, rounded=False)
    chats = [(messages(question, passages, task=task), begun) for question, passages, task, begun in CHATS]
    found = {"alone": export.golden(model, tokenizer, chats)}  # a fresh adapter's B is zero
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "drawn.gguf"
        synthetic.adapter(base, path)
        export.load_adapter(model, path)
    found["drawn"] = export.golden(model, tokenizer, chats)
    for name, rows in found.items():
        print(name, [tokenizer.decode([row["ids"][0]]) for row in rows], [row["logprobs"][0] for row in rows])
    export.write_json(found, OUT)


if __name__ == "__main__":
    main()
