"""The evaluation of the base: rows become jobs and requests, answers are judged rightly, figures end in one table."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from localtune.base.evaluation import judges, reviews, tasks
from localtune.base.evaluation.baselines import BASELINES
from localtune.base.evaluation.command import chosen
from localtune.base.evaluation.intervals import with_intervals
from localtune.base.evaluation.models import Settings, ask, tune
from localtune.base.evaluation.report import Report, fingerprint
from localtune.base.evaluation.rows import drawn
from localtune.base.evaluation.run import Plan, evaluate_task, running
from localtune.base.evaluation.sweep import combinations
from localtune.base.evaluation.task import Task
from localtune.model.tokenizer import Tokenizer
from localtune.train.data import load_dataset
from tests.tiny import tiny_base
from tests.train.jobs import make_spec, run_job, write_rows

ROWS = [{"text": f"{word} number {n}", "label": label} for n in range(8) for word, label in (("fine", "yes"), ("dull", "no"))]


def toy(**changes: Any) -> Task:
    """A classification of sixteen short rows."""
    given = {
        "training": lambda: ROWS, "held_out": {"test": lambda: ROWS[:6]}, "validation": {"validation": lambda: ROWS[6:]},
        "prompt": lambda row: row["text"], "answer": lambda row: row["label"], "labels": True,
        "judge": judges.labelled(lambda row: row["label"]), "aims": {"test: accuracy": 0.9},
    }
    return Task("toy", **(given | changes))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_base(tmp_path_factory.mktemp("base"))


def test_a_row_becomes_a_line_and_the_same_request() -> None:
    task = toy(ending=" END")
    assert task.line(ROWS[0]) == {"prompt": "fine number 0 ->", "completion": " yes END"}
    assert task.request(ROWS[0]) == task.line(ROWS[0])["prompt"] and task.stop == (" END",)


def test_the_chat_form_has_neither_separator_nor_ending() -> None:
    task = toy(ending=" END", chat=True, system=lambda row: "Judge.")
    messages = task.line(ROWS[0])["messages"]
    assert [message["content"] for message in messages] == ["Judge.", "fine number 0", "yes"]
    assert task.request(ROWS[0]) == messages[:-1] and task.stop == () and task.tokens > 1


def test_the_same_rows_are_drawn_every_time() -> None:
    assert drawn(ROWS, 5) == drawn(ROWS, 5) != ROWS[:5]
    assert drawn(ROWS, None) == drawn(ROWS, 99) == ROWS


def test_weighted_f1_agrees_with_scikit_learn() -> None:
    from sklearn.metrics import f1_score

    wanted, given = list("aaabbcca"), list("aabbbcax")
    outcomes = [{"wanted": w, "given": g} for w, g in zip(wanted, given)]
    expected = f1_score(wanted, given, average="weighted", zero_division=0)
    assert judges.weighted_f1(outcomes)["weighted F1"] == pytest.approx(expected)


def test_entities_are_counted_with_their_doubles() -> None:
    row = {"entities": ["Ada", "Oslo", "Oslo"]}
    outcome = judges.entities(row, " oslo\nAda\nBern")
    assert (outcome["right"], outcome["wanted"], outcome["given"], outcome["all"]) == (2, 3, 3, False)
    figures = judges.entity_f1([outcome, judges.entities(row, "Ada\nOslo\nOslo")])
    assert figures == {"entity F1": pytest.approx(10 / 12), "all right": 0.5}


HEROES = {
    "all right": ("A man of 40, he turns lead into gold.", (1, 1, 1)),
    "age in words": ("At forty he is good at turning lead into gold.", (1, 1, 1)),
    "another age": ("A man of 140, he turns lead into gold.", (0, 1, 1)),
    "both genders": ("At 40 he turns lead into gold for her.", (1, 0, 1)),
    "half a power": ("At 40 he looks for gold.", (1, 1, 0)),
}


@pytest.mark.parametrize(("text", "expected"), HEROES.values(), ids=HEROES.keys())
def test_a_superhero_needs_age_gender_and_power(text: str, expected: tuple[int, int, int]) -> None:
    outcome = judges.superhero({"age": "40", "gender": "man", "power": "turning lead into gold"}, text)
    assert tuple(map(int, (outcome["age"], outcome["gender"], outcome["power"]))) == expected
    assert outcome["all right"] == all(expected)


PRODUCT_TEXTS = {
    "all kept": ("The Alba bag in army green costs 99.", True, True),
    "one missing": ("The Alba bag costs 99.", False, True),
    "a colour invented": ("The Alba bag in army green, not navy, costs 99.", True, False),
    "a number invented": ("The Alba bag in army green costs 99 and lasts 20 years.", True, False),
}


@pytest.mark.parametrize(("text", "kept", "clean"), PRODUCT_TEXTS.values(), ids=PRODUCT_TEXTS.keys())
def test_a_description_keeps_all_and_invents_nothing(text: str, kept: bool, clean: bool) -> None:
    row = {"attributes": {"name": "Alba bag", "colour": "army green", "price": "99"}}
    outcome = judges.product(["army green", "navy"])(row, text)
    assert (outcome["kept"], outcome["none invented"], outcome["all right"]) == (kept, clean, kept and clean)


def test_ordinary_words_of_descriptions_are_no_telling_values() -> None:
    rows = [
        {"attributes": {"name": "A", "size": "small"}, "description": "A is small and blue."},
        {"attributes": {"name": "B", "colour": "blue"}, "description": "B is blue, for small hands."},
        {"attributes": {"name": "C", "colour": "navy"}, "description": "C is navy."},
    ]
    assert judges.telling_values(rows) == ["navy"]


def test_an_interval_holds_the_mean_and_every_run_counts() -> None:
    runs = [[{"right": n < right} for n in range(40)] for right in (30, 20)]
    figure = with_intervals(runs, judges.means)["right"]
    assert figure["mean"] == 0.625 and figure["seeds"] == [0.75, 0.5]
    assert 0.4 < figure["low"] < 0.625 < figure["high"] < 0.8


def test_baselines_see_the_training_rows_alone() -> None:
    predicted = {name: fit(toy(), ROWS[:10])(ROWS[10:]) for name, fit in BASELINES.items()}
    assert predicted["TF-IDF"] == [row["label"] for row in ROWS[10:]]
    assert len(set(predicted["majority"])) == 1


def test_snippets_of_a_review_stay_in_one_split(tmp_path: Path) -> None:
    ratings = ("2.1", "-1.8", "0.4", "1.5", "-2")
    rated = [(review, n, rating) for review in range(40) for n, rating in enumerate(ratings)]
    path = tmp_path / "snippets.txt"
    path.write_text("\n".join(f"{r}_{n}\t{rating}\treview {r} says this {n}" for r, n, rating in rated), encoding="utf-8")
    splits = reviews.snippets(path)
    owners = {name: {row["text"].split()[1] for row in rows} for name, rows in splits.items()}
    assert not owners["train"] & owners["test"] and not (owners["train"] | owners["test"]) & owners["validation"]
    assert all(sum(row["label"] == "positive" for row in rows) * 2 == len(rows) for rows in splits.values())


def test_a_tuned_model_is_the_one_the_service_would_make(tmp_path: Path) -> None:
    lines = [toy().line(row) for row in ROWS]
    spec = make_spec(tmp_path / "service", lines, n_epochs=3, batch_size=1, learning_rate_multiplier=1.0, seed=2)
    run_job(spec)
    tuned = tune(Path(spec.base), lines, tmp_path / "evaluation", 2, Settings(n_epochs=3))
    same = [hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
            for folder in (tuned, Path(spec.output) / "checkpoints" / tuned.name)]
    assert same[0] == same[1]


def test_a_request_without_room_gets_an_empty_answer(base: Path) -> None:
    with running() as engine:
        answers = ask(engine, base, ["a" * 3_000, "What is the capital"], max_tokens=2)
    assert answers[0] == "" and len(answers) == 2


def test_figures_end_in_a_table_and_are_kept_for_the_next_run(tmp_path: Path, base: Path) -> None:
    task, plan = toy(), Plan(base, seeds=1, quick=True, settings=Settings(n_epochs=1))
    with running() as engine:
        result = evaluate_task(engine, plan, task)
    assert result["training rows"] == 16 and set(result["figures"]) == {"base", "tuned", "majority", "TF-IDF"}
    kind = fingerprint(plan, chat=False)
    Report(tmp_path, [task], kind).add(task, result)
    assert "| toy " in (tmp_path / "figures.md").read_text(encoding="utf-8")
    assert "toy" in Report(tmp_path, [task], kind).figures
    assert Report(tmp_path, [task], {**kind, "seeds": 2}).figures == {}


def test_a_sweep_spans_every_combination() -> None:
    spanned = list(combinations(Settings(), ["multipliers=0.5,2", "trained=upper half,all"]))
    assert {(one.learning_rate_multiplier, one.trained) for one in spanned} == {
        (0.5, "upper half"), (0.5, "all"), (2.0, "upper half"), (2.0, "all"),
    }


@pytest.mark.parametrize("asked", ["rate=1", "epochs", "trained=everything", "epochs=many"])
def test_a_sweep_of_nothing_known_is_refused(asked: str) -> None:
    with pytest.raises(ValueError, match="write|is none of|invalid literal"):
        list(combinations(Settings(), [asked]))


def test_every_task_of_the_table_has_its_own_name_and_parts() -> None:
    table = tasks.table(Path("snippets.txt"), Path("natural.jsonl"))
    assert len({task.name for task in table}) == len(table) == 13
    for task in table:
        assert all(aim.split(":")[0] in task.held_out for aim in task.aims), task.name
        assert task.validation, task.name


def test_unknown_tasks_are_named() -> None:
    with pytest.raises(SystemExit, match="no task 'clams'; there are: .*claims"):
        chosen(tasks.table(), "sentiment,clams")


def test_what_is_too_long_is_cut_with_a_warning(tmp_path: Path, base: Path) -> None:
    lines = [toy().line(row) for row in ROWS] + [{"prompt": "long ", "completion": " yes" * 2_000}]
    path = Path(write_rows(tmp_path / "rows.jsonl", lines))
    dataset = load_dataset("training file", path, Tokenizer.from_folder(base), 1_024)
    assert max(len(example.ids) for example in dataset.examples) == 1_024
    assert dataset.warning == "Of 17 examples in the training file: 1 longer than 1,024 tokens, cut at the end."
