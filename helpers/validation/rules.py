"""Every rule by its id: how grave it is, what to do, and why it exists. `docs/validation-rules.md` is made from here."""

from __future__ import annotations

import textwrap
from typing import Literal, NamedTuple

Severity = Literal["error", "warning", "info"]
MIN_EXAMPLES, RECOMMENDED_EXAMPLES = 10, 50
MAX_FILE_BYTES, MAX_LINE_BYTES = 512 * 1024**2, 16 * 1024**2
ROLES = ("system", "developer", "user", "assistant", "tool", "function")


class Rule(NamedTuple):
    """`severity`: "error" is refused, "warning" trains but hardly as meant, "info" is good to know."""

    severity: Severity
    fix: str
    why: str


RULES: dict[str, Rule] = {
    # the file
    "wrong_extension": Rule("error", "rename the file: its name must end in .jsonl", "Uploads are refused by their name."),
    "file_too_large": Rule("error", "split the file, or leave examples out: 512 MB is the limit", "One upload's limit."),
    "empty_file": Rule("error", "write one JSON object per line", "There is nothing to learn."),
    "too_few_examples": Rule("error", "add examples: at least 10 are demanded", "Jobs with fewer fail."),
    "few_examples": Rule("info", "50 to 100 good examples are a sensible start", "Ten show a manner, hardly a task."),
    "mixed_formats": Rule("error", "use one form in the whole file", "A job reads one form of line."),
    "byte_order_mark": Rule("error", "save the file as UTF-8 without BOM", "The mark is no JSON; editors hide it."),
    "mixed_line_ends": Rule(
        "warning", "save the file with one kind of line end", "Often two files glued together, or an editor's mistake."
    ),
    # the line
    "not_utf8": Rule("error", "save the file as UTF-8", "Other encodings cannot be read back without guessing."),
    "line_too_large": Rule("error", "shorten the example: 16 MB is the limit", "No model reads that much."),
    "blank_line": Rule("error", "delete the empty line", "Every line must be an example; empty ones may only end the file."),
    "invalid_json": Rule(
        "error", "write the row with json.dumps instead of by hand: quotes, commas, one object per line", "It cannot be read."
    ),
    "nan_or_infinity": Rule(
        "error", "write null or a text; empty cells of a table become NaN unnoticed", "Python writes them, JSON has neither."
    ),
    "duplicate_key": Rule("warning", "keep one of the two", "Readers silently take the last value and lose the first."),
    "not_an_object": Rule("error", 'the line must be an object: {"messages": [...]}', "Lists and bare texts have no roles."),
    "lone_surrogate": Rule(
        "error", "a character was cut in half: repair the text, usually an emoji, at its source", "It is no character."
    ),
    "unexpected_format": Rule("error", 'the keys must be "messages", or "prompt" and "completion"', "No known form of line."),
    "preference_format": Rule("error", 'preference pairs need a job with method type "dpo"', "The method decides the form."),
    "wrong_method": Rule("error", "choose the method that reads this form, or write the other form", "Same reason."),
    "extra_key": Rule("error", "remove the key", "Unknown keys are refused, not ignored."),
    # chat
    "missing_messages_list": Rule("error", '"messages" must be a list with at least one message', "Nothing to read."),
    "data_type": Rule("error", 'every message must be an object: {"role": ..., "content": ...}', "A text has no role."),
    "message_missing_key": Rule("error", 'give every message a "role"', "The role decides what is learnt."),
    "unrecognized_role": Rule("error", f"use one of {', '.join(ROLES)}", "Other names (human, bot) are refused."),
    "message_unrecognized_key": Rule("error", "remove the key from the message", "Unknown keys are refused."),
    "missing_content": Rule(
        "error", 'give the message a "content" text; only a tool call may do without', "null is for calls and refusals."
    ),
    "bad_part": Rule(
        "error", 'a part is {"type": "text", "text": ...}, or an image_url in a user message', "The multi-part form is fixed."
    ),
    "bad_name": Rule("error", '"name" must be a text; a function message needs it', "Numbers as names are refused."),
    "bad_weight": Rule("error", '"weight" is 0 (not learnt) or 1, and only on assistant messages', "No shares in between."),
    "bad_tools": Rule(
        "error", 'a tool is {"type": "function", "function": {"name": ..., "parameters": {...}}}', "The form is fixed."
    ),
    "bad_tool_call": Rule(
        "error",
        'a call is {"id": ..., "type": "function", "function": {"name": ..., "arguments": "{...}"}}, made by the assistant',
        "Arguments are a text that contains JSON, not an object.",
    ),
    "unknown_tool": Rule("error", 'list the called function in "tools"', "The model would learn to call what is not there."),
    "tool_call_id": Rule("error", 'a tool message needs the "tool_call_id" of a call before it', "Answers belong to calls."),
    "unanswered_call": Rule("warning", "add the tool's answer after the call", "In use the next message is always an answer."),
    "example_missing_assistant_message": Rule(
        "error", "add the answer the model shall learn, with role assistant", "Only assistant messages are learnt."
    ),
    "nothing_learnt": Rule("error", "leave weight 1 on at least one assistant message", "All answers are switched off."),
    "last_not_assistant": Rule(
        "warning", "end the example with the assistant's answer; what follows it is never learnt", "It only costs."
    ),
    "late_system_message": Rule("warning", "put the system message first, where it stands in use", "Train as you will ask."),
    "empty_answer": Rule(
        "warning", "remove the example, or write the answer: the model would learn to say nothing", "Usually a lost cell."
    ),
    "empty_question": Rule("warning", "remove the example, or write the question", "Usually a lost cell."),
    # prompt/completion, preference, reinforcement
    "prompt_type": Rule("error", '"prompt" must be a text (it may be empty)', "Required by the form."),
    "completion_type": Rule("error", '"completion" must be a text', "Required by the form."),
    "empty_completion": Rule("error", "remove the example, or write the completion", "There is nothing to learn."),
    "preference_keys": Rule(
        "error",
        'the line needs {"input": {"messages": [...]}, "preferred_completion": [...], "non_preferred_completion": [...]}',
        "All three parts make a pair.",
    ),
    "preference_answer": Rule(
        "error", "each completion is a list with exactly one assistant message", "One good and one bad answer are compared."
    ),
    "same_preference": Rule("warning", "remove the pair, or mend one answer", "Two equal answers teach nothing."),
    "last_not_user": Rule("error", "end the messages with a user message", "The model writes the answer that is graded."),
    # what is said
    "not_local": Rule(
        "warning", "a provider may take it; the local service trains on plain texts only and refuses it", "See the README."
    ),
    "too_long": Rule(
        "warning", "shorten or split the example: the end is cut off, and with it the answer", "Each model has a limit."
    ),
    "secret": Rule("warning", "remove it, and withdraw the key: who has the model may read it out", "Models repeat secrets."),
    "email_address": Rule("warning", "replace it by an invented one (name@example.com)", "Models repeat personal data."),
    # the lines together
    "duplicate_example": Rule(
        "warning", "keep one copy: repeated examples count double and may leak into the test set", "Often a join gone wrong."
    ),
    "near_duplicate": Rule(
        "warning",
        "keep one: they differ only in case, spaces or punctuation, or in a single word",
        "They count double and leak like copies.",
    ),
    "conflicting_answers": Rule(
        "info", "check which answer is right; for open questions several are fine", "Contradictions teach a coin toss."
    ),
    "leaked_example": Rule(
        "warning",
        "remove it, or what is nearly the same, from one of the files",
        "The validation loss then measures memory, not learning.",
    ),
    "leaked_question": Rule("warning", "keep all answers to one question in the same file", "As above, in part."),
    "system_prompt_differs": Rule(
        "info", "use the same system message everywhere, and in use", "The style is tied to the prompt it was trained with."
    ),
    "label_imbalance": Rule(
        "warning", "add examples of the rare labels, or report figures per label", "Guessing the frequent one looks good."
    ),
    "label_spelling": Rule("warning", "write each label in one way", "They are trained as different answers."),
}


def rules_page() -> str:
    """The text of `docs/validation-rules.md`."""
    rules = [f"- **`{name}`** ({rule.severity}): {rule.fix}. *{rule.why}*" for name, rule in RULES.items()]
    wrapped = [textwrap.fill(rule, 120, subsequent_indent="  ", break_on_hyphens=False) for rule in rules]
    return _PAGE + "\n".join(wrapped) + "\n" + _LIMITS


_PAGE = """# Rules of the validator

Made from `helpers/validation/rules.py` by `python -m helpers.validation --rules`. An *error* is refused by a provider, a
*warning* trains but hardly as meant, an *info* is good to know. After the colon stands what to do, then why.

"""
_LIMITS = """
## What is not found

- Of each rule the first hundred findings are listed; the others are counted, and the last one is named.
- Near-duplicates are sought among lines that have something in common: the question, an answer of at least 64 letters,
  the first or last quarter of the longest text, or the last 48 letters. Of such a group the first 10,000 lines are read
  again; each is compared with the eight before it, and with those few that have a further piece of the text in common
  with it (of such lines 50,000 in all), so that memory and time stay bounded. Texts that differ in two words are not
  near-duplicates; nor are texts of fewer than six words, or in examples of fewer than ten, that differ in one. Words are
  what spaces separate.
- Between a training and a validation file the same is sought, and reported as a leak.
- Labels are counted as long as there are at most fifty, none longer than sixty letters. They are out of balance when one
  occurs ten times as often as another; fewer than four examples per label are too few to say.
- Secrets are those whose form is known: keys of OpenAI, Anthropic, AWS, Google, GitHub, Hugging Face, Slack, Stripe and
  npm, private keys, signed tokens. Passwords, names, telephone and card numbers look like other text. E-mail addresses
  at domains reserved for examples (example.com, .test) are left alone.
"""
