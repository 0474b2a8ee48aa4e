"""Write the embedder's golden vectors with the reference implementation (needs models/training/requirements.txt).

    python -m tests.campaigns.embedder_reference FOLDER   (config.json, tokenizer.json and model.safetensors in FOLDER)

Output: tests/models/embedder_golden.json, read by tests/models/test_fetch_embedder.py.
"""

import json
import sys
from importlib.metadata import version
from pathlib import Path

TEXTS = [
    "How many days of leave does a new employee have?",
    "Error E-4021 at pump #7: replace the seal, then reset.",
    "Ünïcödé, naïve café: 3,14 € (about 2 %)",
    "x",
    "The Tidal Press costs less than it did last year. " * 12,
    "def area(r): return 3.14159 * r ** 2",
    "Qu'est-ce que c'est? Das weiß ich nicht.",
]


def main(folder: Path) -> None:
    """Token ids and mean-pooled, normalized vectors of TEXTS, float32 on the CPU."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    rows = []
    for text in TEXTS:
        tokens = tokenizer(text, return_tensors="pt")
        with torch.no_grad():
            vector = model(**tokens).last_hidden_state[0].mean(dim=0)
        vector = torch.nn.functional.normalize(vector, dim=0)
        values = [round(float(value), 5) for value in vector]
        rows.append({"text": text, "tokens": tokens.input_ids[0].tolist(), "vector": values})
    out = Path(__file__).parents[1] / "models" / "embedder_golden.json"
    made_with = {name: version(name) for name in ("torch", "transformers")}
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    out.write_text(f'{{"made_with": {json.dumps(made_with)}, "rows": [\n{lines}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
