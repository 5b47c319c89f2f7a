"""Chats in which a persona answers questions of fact: the persona sets the wrapper, the fact stays right."""

from localtune.base.corpus.personas.conversations import documents

__all__ = ["documents"]
