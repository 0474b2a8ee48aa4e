"""Model files: where they come from, which are ready, and how a file is made of others. Loads and runs no model."""
