"""Jobs from file to model: creation, settings, lists, life and death."""

from __future__ import annotations

import base64
import json

import openai
import pytest
from openai.types.fine_tuning import FineTuningJob

from tests.conformance.surface import covers
from tests.conformance.target import UNTRAINABLE, Target, chat_lines, create, messages_of, wait_for

LONG = {"hyperparameters": {"n_epochs": 50, "batch_size": 1}}


@covers("fine_tuning.jobs.create", "model", "training_file", "validation_file", "suffix", "seed", "metadata")
@covers("fine_tuning.jobs.create", "method", "method.supervised", "integrations")
@covers("fine_tuning.jobs.retrieve", "fine_tuning_job_id")
def test_a_finished_job_says_what_was_asked(target: Target, client: openai.OpenAI, trained: FineTuningJob) -> None:
    job = client.fine_tuning.jobs.retrieve(trained.id)
    assert job.id.startswith("ftjob-") and (job.status, job.error) == ("succeeded", None)
    assert (job.model, job.seed, job.metadata) == (target.model, 7, {"suite": "conformance", "n": "1"})
    assert job.created_at <= job.finished_at and job.trained_tokens > 0 and job.estimated_finish is None
    kind, base, _, suffix, random_part = job.fine_tuned_model.split(":")
    assert (kind, base, suffix, len(random_part)) == ("ft", target.model, "conform", 8)
    wandb = job.integrations[0].wandb
    assert (wandb.project, wandb.name, wandb.entity, wandb.tags) == ("suite", "run", None, ["a", "b"])
    assert job.organization_id.startswith("org-")


@covers("fine_tuning.jobs.create", "hyperparameters.n_epochs", "hyperparameters.batch_size")
@covers("fine_tuning.jobs.create", "hyperparameters.learning_rate_multiplier")
def test_hyperparameters_of_the_method_are_used(client: openai.OpenAI, trained: FineTuningJob) -> None:
    for values in (trained.hyperparameters, trained.method.supervised.hyperparameters):
        assert (values.n_epochs, values.batch_size, values.learning_rate_multiplier) == (3, 1, 0.5)
    steps = [event.data for event in client.fine_tuning.jobs.list_events(trained.id, limit=100) if event.type == "metrics"]
    assert [data["step"] for data in steps] == list(range(30, 0, -1)) and steps[0]["total_steps"] == 30


@covers("fine_tuning.jobs.create", "hyperparameters", "seed")
def test_automatic_settings_are_resolved_when_the_job_starts(target: Target, client: openai.OpenAI) -> None:
    job = create(target, client, hyperparameters={"n_epochs": "auto", "batch_size": 5})
    assert (job.status, job.hyperparameters.n_epochs, job.hyperparameters.batch_size) == ("validating_files", "auto", 5)
    assert 0 <= job.seed < 2**31 and job.fine_tuned_model is None and job.result_files == []
    done = wait_for(target, job.id)
    assert (done.hyperparameters.n_epochs, done.hyperparameters.batch_size) == (10, 5)


@covers("fine_tuning.jobs.create", "seed")
def test_the_same_seed_gives_the_same_losses(target: Target, client: openai.OpenAI) -> None:
    def losses(seed: int) -> list[float]:
        job = wait_for(target, create(target, client, seed=seed).id)
        events = client.fine_tuning.jobs.list_events(job.id, limit=100)
        return [event.data["train_loss"] for event in events if event.type == "metrics"]

    first = losses(3)
    assert len(first) == 10 and len(set(first)) > 1
    assert losses(3) == first and losses(4) != first


@covers("fine_tuning.jobs.create", "training_file")
def test_loss_falls_on_what_is_learnt(client: openai.OpenAI, trained: FineTuningJob) -> None:
    events = client.fine_tuning.jobs.list_events(trained.id, limit=100)
    losses = [event.data["train_loss"] for event in events if event.type == "metrics"][::-1]
    assert sum(losses[-5:]) < sum(losses[:5])


@covers("fine_tuning.jobs.create", "validation_file")
@covers("files.content", "file_id")
def test_the_result_file_has_every_step(client: openai.OpenAI, trained: FineTuningJob) -> None:
    (file_id,) = trained.result_files
    assert client.files.retrieve(file_id).purpose == "fine-tune-results"
    rows = base64.b64decode(client.files.content(file_id).read(), validate=True).decode().splitlines()
    assert rows[0] == "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy"
    assert [row.split(",")[0] for row in rows[1:]] == [str(step) for step in range(1, 31)]
    assert all(rows[10].split(",")) and rows[9].endswith(",,")


@covers("fine_tuning.jobs.create", "method.dpo", "method.reinforcement", "method")
@pytest.mark.parametrize("kind", ["dpo", "reinforcement"])
def test_methods_that_are_not_built_are_refused(target: Target, client: openai.OpenAI, kind: str) -> None:
    grader = {"type": "string_check", "name": "g", "input": "a", "reference": "b", "operation": "eq"}
    settings = {"grader": grader} if kind == "reinforcement" else {"hyperparameters": {"beta": 0.1}}
    with pytest.raises(openai.BadRequestError) as error:
        create(target, client, method={"type": kind, kind: settings})
    assert error.value.param == "method.type" and kind in error.value.body["message"]


@covers("fine_tuning.jobs.create", "hyperparameters", "method")
def test_hyperparameters_are_given_once(target: Target, client: openai.OpenAI) -> None:
    method = {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 1}}}
    with pytest.raises(openai.BadRequestError) as error:
        create(target, client, method=method, hyperparameters={"n_epochs": 1})
    assert error.value.param == "hyperparameters"


def of(name: str, value: object) -> dict[str, object]:
    return {"hyperparameters": {name: value}}


REFUSED = [
    (of("n_epochs", 51), "invalid hyperparameters.n_epochs: 51, ensure this value is less than or equal to 50"),
    (of("n_epochs", 0), "invalid hyperparameters.n_epochs: 0, ensure this value is greater than or equal to 1"),
    (of("n_epochs", 1.5), "invalid hyperparameters.n_epochs: 1.5, value is not a valid integer"),
    (of("batch_size", 257), "invalid hyperparameters.batch_size: 257, ensure this value is less than or equal to 256"),
    (of("learning_rate_multiplier", 0), "invalid hyperparameters.learning_rate_multiplier: 0, ensure this value is greater"),
    ({"suffix": "x" * 65}, f"invalid suffix: {'x' * 65}, ensure this value has at most 64 characters"),
    ({"suffix": ""}, "invalid suffix: , ensure this value has at least 1 characters"),
    ({"seed": -1}, "invalid seed: -1, ensure this value is greater than or equal to 0"),
    ({"seed": 2**31}, "invalid seed: 2147483648, ensure this value is less than or equal to 2147483647"),
    ({"metadata": {"k": "v" * 513}}, "invalid metadata.k: "),
    ({"metadata": {str(n): "" for n in range(17)}}, "invalid metadata: "),
    ({"integrations": [{"type": "wandb", "wandb": {"project": "p"}}] * 6}, "invalid integrations: "),
    ({"extra_body": {"batch_size": 4}}, "invalid batch_size, extra fields not permitted"),
]


@covers("fine_tuning.jobs.create", "suffix", "seed", "metadata", "integrations", "hyperparameters")
@covers("wire", "wrong types and bounds", "unknown fields")
@pytest.mark.parametrize(("options", "message"), REFUSED)
def test_settings_out_of_bounds_are_refused(
    target: Target, client: openai.OpenAI, options: dict[str, object], message: str
) -> None:
    with pytest.raises(openai.BadRequestError) as error:
        create(target, client, **options)
    assert error.value.body["message"].startswith(message)
    assert error.value.param == message.split()[1].rstrip(":,")


@covers("fine_tuning.jobs.create", "training_file", "validation_file", "model")
def test_files_and_models_that_are_not_there_are_refused(target: Target, client: openai.OpenAI) -> None:
    for param in ("training_file", "validation_file"):
        with pytest.raises(openai.BadRequestError) as error:
            create(target, client, **{param: "foobar"})
        assert (error.value.param, error.value.body["message"]) == (param, f"invalid {param}: foobar")
    with pytest.raises(openai.BadRequestError) as error:
        create(target, client, model=UNTRAINABLE)
    assert error.value.code == "model_not_available"
    assert error.value.body["message"] == f"Model {UNTRAINABLE} is not available for fine-tuning or does not exist."


@covers("fine_tuning.jobs.create", "training_file")
@pytest.mark.parametrize(("data", "code", "message"), [
    (chat_lines(7), "invalid_n_examples", "Training file has 7 example(s), but must have at least 10 examples"),
    (
        chat_lines(9) + json.dumps({"messages": [{"content": "x"}]}).encode() + b"\n", "invalid_training_file",
        "The job failed due to an invalid training file. Invalid file format. Example 10, message 1 Discriminator 'role' "
        "is missing in value",
    ),
    (
        b'{"text": "a"}\n' * 10, "invalid_training_file",
        "The job failed due to an invalid training file. Unexpected file format, expected either prompt/completion pairs "
        "or chat messages.",
    ),
])
def test_a_bad_training_file_fails_the_job_and_not_the_request(
    target: Target, client: openai.OpenAI, data: bytes, code: str, message: str
) -> None:
    job = create(target, client, data)
    assert job.status == "validating_files"
    failed = wait_for(target, job.id)
    assert (failed.status, failed.error.code, failed.error.param) == ("failed", code, "training_file")
    assert failed.error.message.startswith(message)
    (last,) = client.fine_tuning.jobs.list_events(job.id, limit=1).data
    assert (last.level, last.message) == ("error", failed.error.message)


@covers("fine_tuning.jobs.create", "training_file")
def test_prompts_and_completions_train_too(target: Target, client: openai.OpenAI) -> None:
    lines = b"".join(json.dumps({"prompt": f"{n}:", "completion": f" {n * n}"}).encode() + b"\n" for n in range(10))
    job = wait_for(target, create(target, client, lines).id)
    assert job.status == "succeeded" and job.fine_tuned_model.startswith(f"ft:{target.model}:")
    assert "Step 10/10" in [message.split(":")[0] for message in messages_of(client, job.id)]


@covers("fine_tuning.jobs.create", "model")
def test_a_tuned_model_can_be_tuned_further(target: Target, client: openai.OpenAI, trained: FineTuningJob) -> None:
    job = wait_for(target, create(target, client, model=trained.fine_tuned_model).id)
    assert job.model == trained.fine_tuned_model
    assert job.fine_tuned_model.split(":")[1] == target.model and job.fine_tuned_model != trained.fine_tuned_model


@covers("fine_tuning.jobs.list", "after", "limit", "metadata")
def test_jobs_are_listed_by_metadata_and_page_by_page(target: Target, client: openai.OpenAI) -> None:
    failing = chat_lines(7)  # too few to be trained: a job that is over at once is listed like any other
    ids = [create(target, client, failing, metadata={"group": "listed", "n": str(n)}).id for n in range(3)]
    plain = create(target, client, failing).id
    page = client.fine_tuning.jobs.list(metadata={"group": "listed"}, limit=2)
    assert [job.id for job in page.data] == ids[:0:-1] and page.has_more
    assert [job.id for job in page] == ids[::-1]
    assert [job.id for job in client.fine_tuning.jobs.list(metadata={"group": "listed", "n": "1"})] == [ids[1]]
    assert client.fine_tuning.jobs.list(after=plain, limit=1).data[0].id == ids[2]
    without = [job.id for job in client.fine_tuning.jobs.list(extra_query={"metadata": "null"}, limit=5).data]
    assert plain in without and not set(ids) & set(without)
    for job_id in (*ids, plain):
        wait_for(target, job_id)


@covers("fine_tuning.jobs.cancel", "fine_tuning_job_id")
def test_a_cancelled_job_is_over(target: Target, client: openai.OpenAI) -> None:
    job = create(target, client, chat_lines(200), **LONG)
    cancelled = client.fine_tuning.jobs.cancel(job.id)
    assert (cancelled.status, cancelled.fine_tuned_model) == ("cancelled", None)
    with pytest.raises(openai.BadRequestError) as error:
        client.fine_tuning.jobs.cancel(job.id)
    assert error.value.body["message"] == "Job has already completed"
    assert client.fine_tuning.jobs.retrieve(job.id).status == "cancelled"


@covers("fine_tuning.jobs.pause", "fine_tuning_job_id")
@covers("fine_tuning.jobs.resume", "fine_tuning_job_id")
def test_a_paused_job_waits_until_it_is_resumed(target: Target, lenient: openai.OpenAI) -> None:
    jobs = lenient.fine_tuning.jobs
    job = create(target, lenient, chat_lines(200), **LONG)
    wait_for(target, job.id, ("queued", "running"))
    assert jobs.pause(job.id).status == "paused" and jobs.retrieve(job.id).status == "paused"
    with pytest.raises(openai.BadRequestError, match="queued or running"):
        jobs.pause(job.id)
    other = wait_for(target, create(target, lenient).id)  # a paused job does not hold up the others
    with pytest.raises(openai.BadRequestError, match="paused"):
        jobs.resume(other.id)
    assert jobs.resume(job.id).status == "queued"
    assert jobs.cancel(job.id).status == "cancelled"


@pytest.mark.live
@covers("fine_tuning.jobs.retrieve", "fine_tuning_job_id")
@covers("fine_tuning.jobs.cancel", "fine_tuning_job_id")
@covers("fine_tuning.jobs.list_events", "fine_tuning_job_id")
@covers("fine_tuning.jobs.checkpoints.list", "fine_tuning_job_id")
def test_an_unknown_job_is_not_found(client: openai.OpenAI) -> None:
    jobs = client.fine_tuning.jobs
    for ask in (jobs.retrieve, jobs.cancel, jobs.list_events, jobs.checkpoints.list):
        with pytest.raises(openai.NotFoundError) as error:
            ask("ftjob-x")
        assert (error.value.code, error.value.param) == ("fine_tune_not_found", "fine_tune_id")
        assert error.value.body["message"] == "Could not find fine tune: ftjob-x"


@covers("fine_tuning.jobs.list_events", "fine_tuning_job_id", "after", "limit")
def test_events_tell_the_story_and_page_by_cursor(client: openai.OpenAI, trained: FineTuningJob) -> None:
    story = messages_of(client, trained.id)
    order = [
        f"Created fine-tuning job: {trained.id}",
        f"Validating training file: {trained.training_file} and validation file: {trained.validation_file}",
        "Files validated, moving job to queued state", "Fine-tuning job started", "The job has successfully completed",
    ]
    assert [message for message in story if message in order] == order
    assert f"New fine-tuned model created: {trained.fine_tuned_model}" in story
    first = client.fine_tuning.jobs.list_events(trained.id, limit=7)
    assert len(first.data) == 7 and first.has_more and first.data[0].message == story[-1]
    second = client.fine_tuning.jobs.list_events(trained.id, limit=7, after=first.data[-1].id)
    assert [event.message for event in second.data] == story[-8:-15:-1]
    assert len(client.fine_tuning.jobs.list_events(trained.id).data) == 20
    assert all(event.id.startswith("ftevent-") and event.level in ("info", "warn") for event in first.data)


@covers("fine_tuning.jobs.list_events", "fine_tuning_job_id")
def test_metrics_events_carry_their_numbers(client: openai.OpenAI, trained: FineTuningJob) -> None:
    events = {event.message.split(":")[0]: event for event in client.fine_tuning.jobs.list_events(trained.id, limit=100)}
    plain, full = events["Step 9/30"], events["Step 10/30"]
    assert set(plain.data) == {"step", "train_loss", "total_steps", "train_mean_token_accuracy"}
    assert set(full.data) - set(plain.data) == {
        "valid_loss", "valid_mean_token_accuracy", "full_valid_loss", "full_valid_mean_token_accuracy",
    }
    assert plain.message == f"Step 9/30: training loss={plain.data['train_loss']:.2f}"
    assert full.message.endswith(f", full validation loss={full.data['full_valid_loss']:.2f}")


@covers("fine_tuning.jobs.checkpoints.list", "fine_tuning_job_id", "after", "limit")
def test_checkpoints_are_the_last_three_epochs(client: openai.OpenAI, trained: FineTuningJob) -> None:
    points = client.fine_tuning.jobs.checkpoints.list(trained.id).data
    assert [point.step_number for point in points] == [30, 20, 10]
    assert points[0].fine_tuned_model_checkpoint == trained.fine_tuned_model
    assert points[2].fine_tuned_model_checkpoint.endswith(":ckpt-step-10")
    assert all(point.id.startswith("ftckpt_") and point.fine_tuning_job_id == trained.id for point in points)
    assert points[2].metrics.step == 10 and points[2].metrics.train_loss > 0 and points[2].metrics.valid_loss > 0
    page = client.fine_tuning.jobs.checkpoints.list(trained.id, limit=1)
    assert page.has_more and [point.id for point in page] == [point.id for point in points]
    assert client.fine_tuning.jobs.checkpoints.list(trained.id, after=points[1].id).data[0].id == points[2].id
