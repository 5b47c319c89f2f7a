"""A local fine-tuning service with OpenAI's wire protocol."""

__version__ = "0.1.0"
