"""Everyday dialogue: greetings and small talk, support, instructions on format, copying, rewording, system rules."""

from localtune.base.corpus.dialogue.mix import documents

__all__ = ["documents"]
