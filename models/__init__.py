"""Model files: the manifest, getting and deriving them, the adapter of ours, and the demo company it was trained on."""
