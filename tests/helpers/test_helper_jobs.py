from __future__ import annotations

import httpx2
import pytest
from helpers import jobs
from helpers.errors import JobFailed
from helpers.formatting import chat_row
from helpers.jobs import NotConfirmed, cancel, create_or_reuse, estimate, follow, upload

ROWS = [chat_row("Be dry.", f"Question {n}?", f"Answer {n}.") for n in range(10)]
MODEL = "gpt-3.5-turbo-0613"


def metric(step: int) -> dict[str, float]:
    return {"step": step, "total_steps": 2, "train_loss": 1 / step, "train_mean_token_accuracy": step / 2}


def finish(provider) -> None:
    provider.models.add("ft:x")
    provider.move("succeeded", fine_tuned_model="ft:x", finished_at=112, trained_tokens=4480)


def test_identical_files_are_uploaded_once(provider, tmp_path) -> None:
    client = provider.client()
    first = upload(client, ROWS, "marv.jsonl")
    assert first.filename.startswith("marv.") and first.filename.endswith(".jsonl")
    assert upload(client, ROWS, "marv.jsonl").id == first.id
    path = tmp_path / "marv.jsonl"
    path.write_bytes(provider.contents[first.id])
    assert upload(client, path).id == upload(client, str(path)).id == first.id
    assert upload(client, ROWS[::-1], "marv.jsonl").id != first.id  # same size, other content
    assert provider.requests.count("POST /files") == 2


def test_a_file_the_provider_refused_is_uploaded_again(provider) -> None:
    first = upload(provider.client(), ROWS)
    provider.files[first.id]["status"] = "error"
    assert upload(provider.client(), ROWS).id != first.id


@pytest.mark.usefixtures("local")
def test_finished_identical_jobs_are_used_again(provider) -> None:
    client = provider.client()
    file = upload(client, ROWS).id
    start = {"hyperparameters": {"n_epochs": 10}, "seed": 1, "suffix": "marv"}
    first = create_or_reuse(client, MODEL, file, **start)
    assert first.method.supervised.hyperparameters.n_epochs == 10 and first.metadata[jobs.KEY]
    assert create_or_reuse(client, MODEL, file, **start).id == first.id  # still running: watched, not doubled
    finish(provider)
    assert create_or_reuse(client, MODEL, file, **start).id == first.id
    again = client.files.create(file=("copy.jsonl", provider.contents[file]), purpose="fine-tune")
    assert create_or_reuse(client, MODEL, again.id, **start).id == first.id  # the content counts, not the id
    assert create_or_reuse(client, MODEL, file, **start, force=True).id != first.id


@pytest.mark.usefixtures("local")
def test_a_job_of_another_model_with_the_same_name_is_not_used(provider) -> None:
    client = provider.client()
    provider.models.add(MODEL)
    file = upload(client, ROWS).id
    first = create_or_reuse(client, MODEL, file, seed=1)
    assert create_or_reuse(client, MODEL, file, seed=1).id == first.id
    provider.models_since = first.created_at + 1  # its weights were replaced
    assert create_or_reuse(client, MODEL, file, seed=1).id != first.id


@pytest.mark.usefixtures("local")
@pytest.mark.parametrize(
    "other",
    [{"seed": 2}, {"hyperparameters": {"n_epochs": 3}}, {"suffix": "x"}, {"validation": True}, {"metadata": {"adaptation": "full"}}],
)
def test_any_difference_makes_a_new_job(provider, other) -> None:
    client = provider.client()
    file, second = upload(client, ROWS).id, upload(client, ROWS[:5]).id
    first = create_or_reuse(client, MODEL, file, seed=1)
    finish(provider)
    validation = second if other.pop("validation", None) else None
    assert create_or_reuse(client, MODEL, file, validation, **{"seed": 1, **other}).id != first.id


@pytest.mark.usefixtures("local")
@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_unsuccessful_jobs_are_not_used_again(provider, status: str) -> None:
    client = provider.client()
    file = upload(client, ROWS).id
    first = create_or_reuse(client, MODEL, file)
    provider.move(status)
    assert create_or_reuse(client, MODEL, file).id != first.id


@pytest.mark.usefixtures("local")
def test_a_job_whose_model_was_deleted_is_not_used_again(provider) -> None:
    client = provider.client()
    file = upload(client, ROWS).id
    first = create_or_reuse(client, MODEL, file)
    finish(provider)
    provider.models.clear()
    assert create_or_reuse(client, MODEL, file).id != first.id


def test_method_and_hyperparameters_exclude_each_other(provider) -> None:
    with pytest.raises(ValueError, match="not both"):
        create_or_reuse(provider.client(), MODEL, "file-1", hyperparameters={"n_epochs": 1}, method={"type": "dpo"})


@pytest.mark.usefixtures("paid")
@pytest.mark.parametrize(("reply", "started"), [("yes", True), ("no", False), ("", False), (None, False)])
def test_paid_jobs_need_a_yes(provider, monkeypatch, capsys, reply, started) -> None:
    def answer(prompt: str) -> str:
        if reply is None:
            raise EOFError
        return reply

    monkeypatch.setattr("builtins.input", answer)
    client = provider.client()
    file = upload(client, ROWS).id
    if started:
        create_or_reuse(client, MODEL, file)
    else:
        with pytest.raises(NotConfirmed):
            create_or_reuse(client, MODEL, file)
    assert len(provider.jobs) == started
    printed = capsys.readouterr().out
    assert "× 10 epochs" in printed and "US dollars" in printed


@pytest.mark.usefixtures("paid")
def test_yes_in_advance_still_shows_the_estimate(provider, capsys) -> None:
    client = provider.client()
    create_or_reuse(client, MODEL, upload(client, ROWS).id, hyperparameters={"n_epochs": 2}, yes=True)
    assert "× 2 epochs" in capsys.readouterr().out and len(provider.jobs) == 1


def test_estimate(provider) -> None:
    client = provider.client()
    row = estimate(client, MODEL, upload(client, ROWS).id, n_epochs=4).loc[MODEL]
    assert row["usd"] == pytest.approx(8.00 * row["tokens"] * 4 / 1e6, abs=1e-4)


def test_follow_goes_through_every_state(provider, capsys) -> None:
    client = provider.client()
    job = client.fine_tuning.jobs.create(model=MODEL, training_file="file-1")
    provider.script = [
        lambda: provider.say("Created fine-tuning job"),
        lambda: provider.move("queued"),
        lambda: provider.move("running"),
        lambda: provider.error(500, "restarting"),
        lambda: provider.say("Step 1/2", metric(1)),
        lambda: provider.move("a_state_of_the_future"),
        lambda: provider.say("Step 2/2", metric(2)),
        lambda: finish(provider),
    ]
    done = follow(client, job.id, poll=0)
    assert done.status == "succeeded" and not provider.script
    assert capsys.readouterr().out == f"{job.id} succeeded in 12 s: 4,480 tokens trained → ft:x\n"


def finished(provider, status: str, **fields) -> str:
    provider.jobs.append(provider.job("ftjob-9", status, **fields))
    provider.say("Step 1/2", metric(1))
    return "ftjob-9"


def test_follow_returns_at_once_for_a_finished_job(provider) -> None:
    assert follow(provider.client(), finished(provider, "succeeded", fine_tuned_model="ft:x")).status == "succeeded"
    assert len(provider.requests) == 2


@pytest.mark.parametrize("status", ["cancelled", "paused"])
def test_cancelled_and_paused_jobs_are_returned(provider, capsys, status: str) -> None:
    assert follow(provider.client(), finished(provider, status)).status == status
    assert status in capsys.readouterr().out


def test_follow_raises_the_reason_of_a_failure(provider) -> None:
    error = {"code": "invalid_n_examples", "message": "Training file has 7 example(s)", "param": "training_file"}
    job_id = finished(provider, "failed", error=error)
    for number in range(7):
        provider.say(f"event {number}")
    with pytest.raises(JobFailed, match=r"invalid_n_examples: Training file has 7 example") as caught:
        follow(provider.client(), job_id)
    assert caught.value.code == "invalid_n_examples" and caught.value.events == [f"event {n}" for n in range(2, 7)]


@pytest.mark.parametrize("error", [None, {}, {"code": None, "message": None, "param": None}])
def test_a_failure_without_a_reason(provider, error) -> None:
    with pytest.raises(JobFailed, match="ftjob-9 failed"):
        follow(provider.client(), finished(provider, "failed", error=error))


def test_follow_gives_up_after_its_patience(provider) -> None:
    job_id = finished(provider, "running")
    provider.script = [lambda: httpx2.Response(503)] * 10
    with pytest.raises(jobs.openai.InternalServerError):
        follow(provider.client(), job_id, poll=0, patience=3)
    assert len(provider.script) == 10 - 4


def test_an_interrupt_leaves_the_job_alone(provider, capsys) -> None:
    job_id = finished(provider, "running")

    def interrupt() -> None:
        raise KeyboardInterrupt

    provider.script = [interrupt]
    with pytest.raises(KeyboardInterrupt):
        follow(provider.client(), job_id, poll=0)
    assert 'follow(client, "ftjob-9")' in capsys.readouterr().out
    assert not any("cancel" in request for request in provider.requests)


def test_cancel_of_a_finished_job_returns_it(provider) -> None:
    assert cancel(provider.client(), finished(provider, "succeeded")).status == "succeeded"


def test_cancel_that_is_refused_for_another_reason(provider) -> None:
    with pytest.raises(jobs.openai.BadRequestError):
        cancel(provider.client(), finished(provider, "running"))
