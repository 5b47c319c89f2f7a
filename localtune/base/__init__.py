"""How the shipped base model is made: corpus, tokenizer, pretraining, evaluation."""
