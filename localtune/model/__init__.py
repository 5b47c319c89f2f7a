"""The small decoder and its tokenizer, stored in Hugging Face format."""
