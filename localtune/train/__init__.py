"""The training worker: one job specification in, checkpoints and a stream of JSON lines out."""
