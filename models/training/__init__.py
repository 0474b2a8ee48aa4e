"""Training: question data -> LoRA -> GGUF adapter -> merged file -> card. `python -m models.training.run --help`.

samples.py  prompt and completion as tokens      mix.py     what Brightwater's fine-tune is trained on
hand.py     the questions written by hand        architecture.py   which bases can be trained
packing.py  rows that share a context            lora.py    the model under training
loop.py     steps, checkpoints, learning curve   export.py  the adapter as GGUF, golden logits
run.py      the command
"""
