"""The four approaches and their names: the one list that everything else imports, the simplest first."""

APPROACHES = ("prompt", "retrieval", "fine-tuning", "hybrid")
NAMES = {"prompt": "prompt only", "retrieval": "retrieval", "fine-tuning": "fine-tuning", "hybrid": "hybrid"}
