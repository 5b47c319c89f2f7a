"""Running a grader: rules at once, model graders through the engine that also answers chats."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.concurrency import run_in_threadpool

from localtune.api.chat import ChatBody, Message, generate_requests, plain_messages, room
from localtune.api.errors import APIError
from localtune.api.generation import check_length, complete
from localtune.api.grader_request import LabelModel, Multi, ScoreModel, Single, StringCheck, TextSimilarity
from localtune.catalog import Catalog
from localtune.graders import similarity
from localtune.graders.formula import FormulaError, evaluate
from localtune.graders.templates import SampleIsNoJson, TooLong, UnknownVariable, fill
from localtune.infer.engine import Engine, EngineError

NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
SCORE_TOKENS = 32


@dataclass
class Grade:
    """The outcome: errors by the API's names for them (the others are false), tokens by model."""

    reward: float = 0.0
    errors: dict[str, Any] = field(default_factory=dict)
    tokens: dict[str, int] = field(default_factory=dict)
    sub_rewards: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Grading:
    """One run: who asks, and what the grader's templates may name."""

    engine: Engine
    catalog: Catalog
    project: str
    values: Mapping[str, Any]

    async def grade(self, grader: Single | Multi) -> Grade:
        """What cannot be graded is worth 0, with the error that says why."""
        try:
            match grader:
                case StringCheck():
                    return Grade(string_check(grader.operation, self.fill(grader.input), self.fill(grader.reference)))
                case TextSimilarity():
                    return await self.similarity(grader)
                case ScoreModel():
                    return await self.score(grader)
                case LabelModel():
                    return await self.label(grader)
                case Multi():
                    return await self.combined(grader)
        except UnknownVariable:
            return Grade(errors={"invalid_variable_error": True})
        except SampleIsNoJson:
            return Grade(errors={"sample_parse_error": True})
        except TooLong:
            return Grade(errors={"truncated_observation_error": True})
        except (APIError, EngineError) as error:  # a prompt too long for the model, say
            details = {"model_grader_server_error_details": str(error)}
            return Grade(errors={"model_grader_server_error": True, **details})
        raise TypeError(type(grader))

    def fill(self, template: str) -> str:
        return fill(template, self.values)

    async def similarity(self, grader: TextSimilarity) -> Grade:
        texts = self.fill(grader.input), self.fill(grader.reference)
        cut = [text[: similarity.MAX_CHARACTERS] for text in texts]
        errors = {"truncated_observation_error": True} if cut != list(texts) else {}
        return Grade(await run_in_threadpool(similarity.MEASURES[grader.evaluation_metric], *cut), errors)

    async def score(self, grader: ScoreModel) -> Grade:
        """Ask the model and take the first number of its answer."""
        wanted = grader.sampling_params
        sampling = wanted.model_dump(include={"seed", "temperature", "top_p"}, exclude_none=True) if wanted else {}
        limit = (wanted and wanted.max_completions_tokens) or SCORE_TOKENS
        body = ChatBody(
            model=grader.model, messages=self.messages(grader), max_completion_tokens=limit,
            **{"temperature": 0.0, **sampling},
        )
        model = await run_in_threadpool(self.catalog.resolve, self.project, grader.model)
        requests = await run_in_threadpool(generate_requests, self.engine, model.folder, body, self.project)
        (output,) = await complete(self.engine, requests)
        tokens = {grader.model: len(requests[0].prompt_ids) + output.finish.completion_tokens}
        reward = number_in(output.text, grader.bounds)
        if reward is None:
            return Grade(errors={"model_grader_parse_error": True}, tokens=tokens)
        return Grade(reward, tokens=tokens)

    async def label(self, grader: LabelModel) -> Grade:
        """Choose the label that the model finds likeliest as a whole answer: it could not keep to a schema."""
        model = await run_in_threadpool(self.catalog.resolve, self.project, grader.model)
        tokenizer = self.engine.tokenizer(model.folder)
        context = self.engine.context(model.folder)
        messages = plain_messages(self.messages(grader))
        check_length((message["content"] for message in messages), tokenizer, context, "messages")
        prompt, _ = tokenizer.chat(messages, generation_prompt=True)
        likelihoods, used = {}, 0
        for label in grader.labels:
            answer = [*tokenizer.encode(label), tokenizer.answer_end_id]
            room(context, len(prompt), len(answer))
            scored = await self.engine.score(model.folder, prompt + answer)
            likelihoods[label] = sum(logprob for logprob, _ in scored[-len(answer):])
            used += len(prompt) + len(answer)
        chosen = max(likelihoods, key=likelihoods.__getitem__)
        return Grade(float(chosen in grader.passing_labels), tokens={grader.model: used})

    def messages(self, grader: ScoreModel | LabelModel) -> list[Message]:
        return [Message(role=message.role, content=self.fill(message.template())) for message in grader.input]

    async def combined(self, grader: Multi) -> Grade:
        grades = {name: await self.grade(part) for name, part in grader.graders.items()}
        whole = Grade(sub_rewards={name: grade.reward for name, grade in grades.items()})
        for grade in grades.values():
            whole.errors |= grade.errors
            for model, count in grade.tokens.items():
                whole.tokens[model] = whole.tokens.get(model, 0) + count
        try:
            whole.reward = evaluate(grader.calculate_output, whole.sub_rewards)
        except FormulaError:
            whole.errors["formula_parse_error"] = True
        return whole


def string_check(operation: str, text: str, reference: str) -> float:
    checks = {
        "eq": text == reference, "ne": text != reference, "like": reference in text,
        "ilike": reference.casefold() in text.casefold(),
    }
    return float(checks[operation])


def number_in(answer: str, bounds: tuple[float, float]) -> float | None:
    """The first number of an answer; None when there is none, or it is out of bounds."""
    found = NUMBER.search(answer)
    if found is None:
        return None
    number = float(found.group())
    return number if bounds[0] <= number <= bounds[1] else None
