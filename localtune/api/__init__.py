"""The HTTP side of the service: OpenAI's wire protocol under `/v1`."""
