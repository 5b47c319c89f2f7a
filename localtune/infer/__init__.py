"""Answers: loaded models, cached decoding in batches, sampling, stop sequences, log-probabilities."""
