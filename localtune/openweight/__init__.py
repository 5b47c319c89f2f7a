"""Open-weight models behind the same API. transformers is imported inside functions alone: the small base never needs it."""
