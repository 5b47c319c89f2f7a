"""The small world: the corpus the base model is pretrained on, one package per kind of document."""
