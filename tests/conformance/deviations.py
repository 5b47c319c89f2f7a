"""Where the local service is known to differ from OpenAI's API, and why. Everything else in the table is meant to be alike."""

from __future__ import annotations

from typing import NamedTuple


class Deviation(NamedTuple):
    """`parameter` "" speaks of the whole operation."""

    operation: str
    parameter: str
    what: str
    why: str


NO_MODEL = "the local models have never seen such data"
REFUSED = "refused with 400 and the parameter's name, unless the value asks for nothing"
NO_EFFECT = "accepted, without effect"
CHAT, JOBS, RUN = "chat.completions.create", "fine_tuning.jobs.create", "fine_tuning.alpha.graders.run"

DEVIATIONS = [
    Deviation(
        "wire", "openai headers",
        "the organisation is always `localtune`; `OpenAI-Organization` and `OpenAI-Project` of a request are "
        "not looked at",
        "a key belongs to exactly one project",
    ),
    Deviation(
        "wire", "unknown addresses and methods",
        "the rest of the API (responses, assistants, batches, embeddings, evals, stored completions, "
        "organisation administration) answers 404 or 405; there are no webhooks",
        "the service is for fine-tuning",
    ),
    Deviation(
        "wire", "rate limits",
        "limits of this machine for each key (requests at once and a minute, unfinished jobs), and 507 where the disk is full; "
        "no `x-ratelimit-` headers, no quota",
        "there is nothing to pay; the suite sends too little to meet them, `tests/safety/` lowers them",
    ),
    Deviation(
        "files.create", "purpose",
        "`evals` is refused",
        "the SDK's own type of a file does not know it, and OpenAI's evals end on 2026-11-30",
    ),
    Deviation(
        "files.create", "file",
        "a training file is read whole at once, and its status is always `processed`; OpenAI processes later",
        "it takes milliseconds here",
    ),
    Deviation(
        "files.list", "",
        "`first_id` and `last_id` of an empty list are empty strings",
        "the API's description allows no null there",
    ),
    Deviation("files.content", "", "result files are base64, everything else plain bytes", "as OpenAI sends them"),
    Deviation("uploads.create", "bytes", "at most 512 MB instead of 8 GB", "one limit for every file"),
    Deviation(
        "uploads.create", "mime_type",
        "any text is taken; it is kept and not compared with the content",
        "no purpose here depends on it",
    ),
    Deviation("uploads.create", "purpose", "`user_data` is taken too", "the same purposes as for files"),
    Deviation(
        JOBS, "",
        "the first event names the small local model behind the model's name",
        "nobody should mistake it for the model of that name",
    ),
    Deviation(
        JOBS, "model",
        "names of OpenAI's models are aliases of a small local base, retired ones too",
        "code of the documents runs as written",
    ),
    Deviation(
        JOBS, "metadata",
        "the key `adaptation` (`lora`, `full`, `qlora`) says how an open-weight base is changed; any other value, and the key "
        "with another base, is a 400",
        "OpenAI's API has no field for it",
    ),
    Deviation(JOBS, "method", "only `supervised`", "the others are not built"),
    Deviation(JOBS, "method.dpo", "refused with 400 at `method.type`", "not built"),
    Deviation(JOBS, "method.reinforcement", "refused with 400 at `method.type`", "not built"),
    Deviation(
        JOBS, "integrations",
        "a `wandb` run is written offline, after the job's end, if the package is installed beside the service; else a "
        "warning says how to get it",
        "the service makes no connection to anywhere",
    ),
    Deviation(JOBS, "training_file", "lines with tools, functions or tool calls fail the job", NO_MODEL),
    Deviation(
        JOBS, "training_file",
        "beside its rows the small base rehearses some of its own corpus, which no metric or token count includes",
        "so that it does not forget what it knows",
    ),
    Deviation(
        JOBS, "hyperparameters.batch_size",
        "`auto` is the local rule (a hundredth of the examples, 1 to 16)",
        "OpenAI's is not published",
    ),
    Deviation(
        "fine_tuning.jobs.retrieve", "",
        "`error` is null until a job fails; OpenAI sends an object of nulls",
        "the SDK's strict validation refuses that object",
    ),
    Deviation(
        "fine_tuning.jobs.retrieve", "",
        "no safety evaluation, no `moderation_checks` events, no shared-data fields",
        "there is nothing to evaluate with",
    ),
    Deviation(
        "fine_tuning.jobs.pause", "",
        "any queued or running job can be paused, and goes on from its last saved step; `paused` is no status"
        " of the SDK's type, so a client with strict validation cannot read such a job",
        "OpenAI's own description contradicts itself here",
    ),
    Deviation(
        "fine_tuning.jobs.list_events", "",
        "`data` is `{}` where OpenAI sometimes sends null",
        "the API's description asks for an object",
    ),
    Deviation(
        "fine_tuning.checkpoints.permissions.create", "",
        "an admin key belongs to one project and shares its models; it is made with `python -m localtune keys"
        " admin`",
        "there is no organisation administration",
    ),
    Deviation(
        "fine_tuning.checkpoints.permissions.create", "fine_tuned_model_checkpoint",
        "a shared model can be asked and retrieved; tuning it further is for its owner alone",
        "a job must not depend on what another tenant deletes",
    ),
    Deviation(
        "fine_tuning.alpha.graders.validate", "grader",
        "`python` and the `cosine` metric are refused; formulas are checked for names that are no graders",
        "see `grader.python`, `grader.text_similarity`",
    ),
    Deviation(
        RUN, "grader.python",
        "refused with 400 at its `type`",
        "the service never executes code that it is sent",
    ),
    Deviation(
        RUN, "grader.text_similarity",
        "`cosine` is refused; `meteor` knows neither stems nor synonyms; texts are compared up to 10,000 "
        "characters, with `truncated_observation_error` beyond",
        "no embedding model, no dictionary",
    ),
    Deviation(
        RUN, "grader.score_model",
        "the first number of the model's answer, greedy unless told otherwise; none or one out of range is "
        "`model_grader_parse_error`. A small model rarely gives a sensible one",
        "no structured outputs",
    ),
    Deviation(
        RUN, "grader.label_model",
        "the label that the model finds likeliest as its whole answer; only inside `multi`, as in the SDK's "
        "types",
        "no structured outputs",
    ),
    Deviation(
        RUN, "grader.multi",
        "takes graders by name (the guide) and a single one (the SDK's type)",
        "the two contradict each other",
    ),
    Deviation(
        "models.retrieve", "",
        "`shutdown_date` is the date of OpenAI's model of that name; here it goes on answering",
        "code that reads the date can be tried",
    ),
    Deviation("models.list", "", "bases are `owned_by` `localtune`, those given with `serve --base` by `open-weight`", "they are"),
    Deviation(
        "models.delete", "", "409 while an unfinished job starts from the model, or another model is an adapter on it",
        "the job would fail, the adapter would lose its base",
    ),
    Deviation(
        "completions.create", "prompt",
        "at most 2,048 texts for one request, prompts times `best_of`, and 250,000 tokens and log-probabilities in all of them",
        "one key's request must not keep everybody else waiting, nor fill the memory",
    ),
    Deviation(CHAT, "n", "at most 250,000 tokens and log-probabilities in one answer", "more would fill the memory"),
    Deviation(
        "moderations.create", "",
        "word rules for English in 13 categories, marked by the header `x-localtune-model: word-rules`; no "
        "classifier, and no protection",
        "so that code for the endpoint can be written and tested",
    ),
    Deviation(
        "moderations.create", "input", "images are refused with 400, and more than 1,000,000 characters in all",
        "the rules read text, and take a second or two for as much",
    ),
    Deviation(
        "moderations.create", "model",
        "the four names of the SDK, all answered by the same rules",
        "there is one list of rules",
    ),
    Deviation(
        CHAT, "messages",
        "text only; `name` and `tool_call_id` are taken without effect; tool calls, audio and images are "
        "refused",
        NO_MODEL,
    ),
    Deviation(CHAT, "max_completion_tokens", "256 if nothing is said", "answers of small models are short"),
    Deviation(CHAT, "logit_bias", "token ids are those of the local tokenizer", "each model has its own"),
    *(Deviation(CHAT, name, REFUSED, why) for name, why in {
        "audio": "text only", "functions": NO_MODEL, "function_call": NO_MODEL, "modalities": "text only",
        "moderation": "not built", "parallel_tool_calls": NO_MODEL, "prediction": "nothing would become faster",
        "reasoning_effort": "the local models do not reason", "response_format": "decoding by schema is not built",
        "store": "stored completions are not built", "tools": NO_MODEL, "tool_choice": NO_MODEL,
        "verbosity": "the local models have one length", "web_search_options": "no connection to anywhere",
    }.items()),
    *(Deviation(CHAT, name, NO_EFFECT, why) for name, why in {
        "metadata": "it belongs to stored completions", "prompt_cache_key": "no cache between requests",
        "prompt_cache_options": "no cache between requests", "prompt_cache_retention": "no cache between requests",
        "safety_identifier": "a label for OpenAI's own checks", "user": "a label for OpenAI's own checks",
    }.items()),
    Deviation(CHAT, "service_tier", "accepted; the answer says `default`", "there is one tier"),
    Deviation(
        CHAT, "stream_options",
        "`include_obfuscation` is accepted, without effect",
        "nobody listens on this machine",
    ),
    Deviation("completions.create", "model", "every model takes legacy completions", "the local ones can"),
    Deviation(
        "completions.create", "logprobs",
        "log-probabilities of the first echoed token are null, as OpenAI sends them; the SDK's strict "
        "validation refuses that",
        "there is nothing before it",
    ),
    Deviation("completions.create", "suffix", "refused with 400", "the local models cannot fill in"),
    Deviation("completions.create", "user", NO_EFFECT, "a label for OpenAI's own checks"),
    Deviation(
        "completions.create", "stream",
        "`finish_reason` is null until the last part, as OpenAI sends it; the SDK's strict validation refuses"
        " that",
        "it has not finished",
    ),
]
