"""From whatever went wrong to an error that names cause and cure."""

from __future__ import annotations

import torch

from localtune.infer.request import EngineError

# How PyTorch says it where it has no exception of its own: Apple's GPU, the processor.
OUT_OF_MEMORY = ("out of memory", "not enough memory", "can't allocate memory")

MEMORY_CURE = (
    "Ask for fewer or shorter texts at once, wait until a training job that shares the device is done, or use a smaller model."
)


def failure(doing: str, error: Exception, status: int = 500) -> EngineError:
    """`doing`: "loading a certain model", "answering" or "scoring"."""
    if isinstance(error, EngineError) and error.code:
        return error  # it says all there is to say
    if out_of_memory(error):
        message = f"The device ran out of memory while {doing}. {MEMORY_CURE}"
        return EngineError(message, status=503, code="out_of_memory", retry=True)
    status = error.status if isinstance(error, EngineError) else status
    return EngineError(f"the model failed while {doing}: {error}", status)


def out_of_memory(error: Exception) -> bool:
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in OUT_OF_MEMORY)
