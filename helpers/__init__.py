"""What the notebooks call: thin, typed helpers around the official `openai` SDK.

Nothing here knows the local service's code; the two talk over HTTP only, so every helper works with any
provider of the same API. Import the part you need: `from helpers.connect import connect`.
"""
