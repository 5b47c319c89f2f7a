"""The successor of OpenAI's removed command `openai tools fine_tunes.prepare_data`: a file → training files.

    done = prepare("data/preparation/reviews.csv", quiet=True, folder="work")

On the command line: `python -m helpers.preparation FILE [--quiet] [--chat]`. Every check of the old tool is there; its known
mistakes are mended (`Mistakes` names them and brings them back), and the output can be chat.
"""

from helpers.preparation.checks import CHECKS, FOR_CHAT
from helpers.preparation.findings import LEGACY, MENDED, Finding, Mistakes, PreparationError
from helpers.preparation.marks import ENDINGS, SEPARATORS, mark_of, shared_end, shared_start, task_of
from helpers.preparation.preparing import Prepared, examine, mend, prepare
from helpers.preparation.reading import Reading, read_table
from helpers.preparation.writing import chat_rows, split_rows

__all__ = [
    "CHECKS", "ENDINGS", "FOR_CHAT", "Finding", "LEGACY", "MENDED", "Mistakes", "Prepared", "PreparationError", "Reading",
    "SEPARATORS", "chat_rows", "examine", "mark_of", "mend", "prepare", "read_table", "shared_end", "shared_start",
    "split_rows", "task_of",
]
