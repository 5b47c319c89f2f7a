"""What the small base model knows: about a thousand plain facts, ways to ask for them, documents that teach them."""

from localtune.base.corpus.facts.generator import CORE, documents
from localtune.base.corpus.facts.phrasing import held_out_question, question, sentence
from localtune.base.corpus.facts.table import FACTS, RELATIONS, Fact, Relation, mentions

__all__ = [
    "CORE", "FACTS", "RELATIONS", "Fact", "Relation", "documents", "held_out_question", "mentions", "question",
    "sentence",
]
