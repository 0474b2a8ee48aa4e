"""Is training over packed rows the same as sample by sample? `python tests/campaigns/packed_training.py`.

Needs models/training/requirements.txt, which the suite does without. Compares, over the bundled base with random LoRA
matrices: the mean loss of eight real training samples packed into trees and one by one, and the gradients of the LoRA
matrices; then checks that a resumed run ends where an unbroken one does, and that an exported adapter that a run
starts from is the exported one. The last result is packed_training.json.
"""

import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
import torch

from models.training import export, loop, lora, mix, packing, run, samples
from models.training.settings import Settings

SETTINGS = replace(Settings(), score_every=100, checkpoint_every=2)


def gradients(model: object, rows: list[packing.Row], pad: int) -> tuple[float, torch.Tensor]:
    """Loss, and all LoRA gradients as one vector."""
    model.zero_grad()
    value = lora.loss(model, rows, pad)
    value.backward()
    return value.item(), torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])


def main() -> None:
    base = run._bundled_base()
    tokenizer = lora.load_tokenizer(base)
    pad = tokenizer.eos_token_id
    model = lora.load_model(base, 16, 32, seed=1, rounded=False)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.02)
    groups = [g for g in mix.one_pass(mix.Mix(), 1, 0) if g[0].kind in ("fact", "reading")][:2]
    made = [[samples.tokens(s, tokenizer, 2048) for s in group] for group in groups]
    packed = gradients(model, packing.pack(made, 1000), pad)
    single = gradients(model, [packing.tree([one]) for group in made for one in group], pad)
    cosine = torch.nn.functional.cosine_similarity(packed[1].double(), single[1].double(), dim=0).item()
    result = {"loss_packed": packed[0], "loss_one_by_one": single[0], "gradient_cosine": cosine}

    steps = [[packing.tree(group)] for group in made] * 3
    with tempfile.TemporaryDirectory() as folder:
        ends = []
        for name, cuts in (("unbroken", [6]), ("resumed", [4, 6])):
            for number, cut in enumerate(cuts):
                fresh = lora.load_model(base, 4, 8, seed=2)
                checkpoint = Path(folder) / f"{name}.pt"
                loop.train(fresh, steps, {}, SETTINGS, pad, checkpoint, resume=number > 0, stop_after=cut)
            ends.append(torch.cat([p.flatten() for p in fresh.parameters() if p.requires_grad]))
        file = Path(folder) / "adapter.gguf"
        export.write_adapter(export.pairs(fresh), 8, {}, file)
        again = lora.load_model(base, 4, 8, seed=3)
        export.load_adapter(again, file)
        result["started_differs_by"] = max(
            float(np.abs(export.pairs(fresh)[name] - matrix).max()) for name, matrix in export.pairs(again).items()
        )
    result["resumed_differs_by"] = (ends[0] - ends[1]).abs().max().item()
    print(json.dumps(result))
    assert abs(packed[0] - single[0]) < 0.01 and cosine > 0.99 and result["resumed_differs_by"] < 1e-6
    assert result["started_differs_by"] == 0
    Path(__file__).with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
