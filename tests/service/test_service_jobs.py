"""`/v1/fine_tuning/jobs` and `/v1/models` through the official SDK, which checks every shape strictly here."""

from __future__ import annotations

import base64

import openai
import pytest

from tests.service.harness import MODEL, chat_lines, create, messages_of, upload, wait_for


def test_a_job_from_file_to_model(client: openai.OpenAI) -> None:
    job = create(client, suffix="Marv bot", seed=7, metadata={"lesson": "one"})
    assert job.status == "validating_files"
    assert (job.hyperparameters.n_epochs, job.hyperparameters.batch_size) == ("auto", "auto")
    assert (job.error, job.trained_tokens, job.fine_tuned_model, job.seed) == (None, None, None, 7)
    done = wait_for(client, job.id)
    assert done.status == "succeeded" and done.trained_tokens == 1000 and done.estimated_finish is None
    values = done.hyperparameters
    assert (values.n_epochs, values.batch_size, values.learning_rate_multiplier) == (10, 1, 1.0)
    assert done.method.supervised.hyperparameters.n_epochs == 10
    kind, base, organisation, suffix, random_part = done.fine_tuned_model.split(":")
    assert (kind, base, organisation, suffix) == ("ft", MODEL, "local", "Marv-bot") and len(random_part) == 8


def test_events_are_newest_first_and_tell_the_story(client: openai.OpenAI) -> None:
    job = create(client, validation_file=upload(client, chat_lines(2)))
    done = wait_for(client, job.id)
    story = messages_of(client, job.id)
    assert story[:5] == [
        f"localtune trains its own small model: '{MODEL}' is an alias of 'small' (6 parameters) on this machine; "
        "a job changes the upper half of its layers, from 100 examples on all of them, and rehearses a row of what it knows "
        "with every four of yours.",
        f"Created fine-tuning job: {job.id}",
        f"Validating training file: {job.training_file} and validation file: {job.validation_file}",
        "Files validated, moving job to queued state",
        "Fine-tuning job started",
    ]
    assert story[5:7] == ["Step 1/100: training loss=2.00", "Step 2/100: training loss=1.00"]
    assert story[104] == "Step 100/100: training loss=0.02, validation loss=0.03, full validation loss=0.04"
    assert [message.split(":")[0] for message in story[105:]] == [
        "Checkpoint created at step 80 with Snapshot ID", "Checkpoint created at step 90 with Snapshot ID",
        "New fine-tuned model created", "The job has successfully completed",
    ]
    assert story[107].endswith(done.fine_tuned_model)


def test_metrics_events_carry_their_numbers(client: openai.OpenAI) -> None:
    job = wait_for(client, create(client).id)
    events = client.fine_tuning.jobs.list_events(job.id, limit=1000).data
    (second,) = [event for event in events if event.message.startswith("Step 2/")]
    assert second.type == "metrics"
    assert second.data == {"step": 2, "train_loss": 1.0, "total_steps": 100, "train_mean_token_accuracy": 0.5}
    assert {event.type for event in events if not event.data} == {"message"}


def test_events_page_by_cursor(client: openai.OpenAI) -> None:
    job = wait_for(client, create(client, hyperparameters={"n_epochs": 2}).id)
    whole = client.fine_tuning.jobs.list_events(job.id, limit=1000).data
    assert [event.id for event in client.fine_tuning.jobs.list_events(job.id, limit=7)] == [event.id for event in whole]
    assert len(client.fine_tuning.jobs.list_events(job.id).data) == 20


def test_checkpoints_are_models(client: openai.OpenAI) -> None:
    job = wait_for(client, create(client).id)
    last, middle, first = client.fine_tuning.jobs.checkpoints.list(job.id).data
    assert [point.step_number for point in (last, middle, first)] == [100, 90, 80]
    assert last.fine_tuned_model_checkpoint == job.fine_tuned_model
    assert first.fine_tuned_model_checkpoint.endswith(":ckpt-step-80")
    assert first.fine_tuned_model_checkpoint.split(":")[4] != job.fine_tuned_model.split(":")[4]
    assert (first.metrics.step, first.metrics.train_loss) == (80, 0.025)
    for point in (last, middle, first):
        assert client.models.retrieve(point.fine_tuned_model_checkpoint).owned_by == "local"
    page = client.fine_tuning.jobs.checkpoints.list(job.id, limit=1)
    assert page.has_more and page.get_next_page().data == [middle]


def test_result_file_is_a_base64_csv(client: openai.OpenAI) -> None:
    job = wait_for(client, create(client, validation_file=upload(client, chat_lines(2))).id)
    (file_id,) = job.result_files
    file = client.files.retrieve(file_id)
    assert (file.purpose, file.filename) == ("fine-tune-results", "step_metrics.csv")
    rows = base64.b64decode(client.files.content(file_id).read(), validate=True).decode().splitlines()
    assert rows[0] == "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy"
    assert len(rows) == 101 and rows[4] == "4,0.5,0.75,," and rows[10] == "10,0.2,0.9,0.3,0.5"


def test_hyperparameters_of_method_and_continuing_a_model(client: openai.OpenAI) -> None:
    first = wait_for(client, create(client, hyperparameters={"n_epochs": 1}).id)
    method = {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2, "batch_size": 3}}}
    ahead = create(client, "slow", hyperparameters={"n_epochs": 50})
    second = create(client, model=first.fine_tuned_model, method=method, suffix="more")
    assert "starts from 'small'" in messages_of(client, second.id)[0]
    with pytest.raises(openai.ConflictError, match=second.id):
        client.models.delete(first.fine_tuned_model)
    client.fine_tuning.jobs.cancel(ahead.id)
    done = wait_for(client, second.id)
    assert (done.hyperparameters.n_epochs, done.hyperparameters.batch_size) == (2, 3)
    assert done.fine_tuned_model.startswith(f"ft:{MODEL}:local:more:")
    assert [point.step_number for point in client.fine_tuning.jobs.checkpoints.list(done.id)] == [8, 4]


def test_jobs_are_listed_by_metadata(client: openai.OpenAI) -> None:
    wanted = [create(client, metadata={"group": "g1", "n": str(n)}).id for n in range(3)]
    plain = create(client).id
    listed = client.fine_tuning.jobs.list(metadata={"group": "g1"}, limit=2)
    assert [job.id for job in listed] == wanted[::-1]
    assert [job.id for job in client.fine_tuning.jobs.list(metadata={"group": "g1", "n": "1"})] == [wanted[1]]
    without = client.fine_tuning.jobs.list(extra_query={"metadata": "null"}).data
    assert without[0].id == plain and not any(job.metadata for job in without)


def test_models_are_listed_and_deleted(client: openai.OpenAI) -> None:
    job = wait_for(client, create(client).id)
    owners = {model.id: model.owned_by for model in client.models.list()}
    assert owners[MODEL] == "localtune" and owners[job.fine_tuned_model] == "local"
    assert client.models.delete(job.fine_tuned_model).deleted
    with pytest.raises(openai.NotFoundError) as error:
        client.models.retrieve(job.fine_tuned_model)
    assert error.value.code == "model_not_found"
    with pytest.raises(openai.NotFoundError, match="does not exist"):
        client.models.delete(job.fine_tuned_model)
    with pytest.raises(openai.PermissionDeniedError):
        client.models.delete(MODEL)


@pytest.mark.parametrize(
    ("options", "message", "param"),
    [
        ({"hyperparameters": {"n_epochs": 51}}, "ensure this value is less than or equal to 50", "n_epochs"),
        ({"hyperparameters": {"n_epochs": "many"}}, "value is not a valid integer", "n_epochs"),
        ({"hyperparameters": {"batch_size": 0}}, "ensure this value is greater than or equal to 1", "batch_size"),
        ({"hyperparameters": {"learning_rate_multiplier": 0}}, "greater than 0", "learning_rate_multiplier"),
        ({"suffix": "x" * 65}, "ensure this value has at most 64 characters", "suffix"),
        ({"suffix": ""}, "ensure this value has at least 1 characters", "suffix"),
        ({"seed": -1}, "ensure this value is greater than or equal to 0", "seed"),
        ({"training_file": "foobar"}, "invalid training_file: foobar", "training_file"),
        ({"validation_file": "foobar"}, "invalid validation_file: foobar", "validation_file"),
        ({"method": {"type": "dpo"}}, "'supervised' method only", "method.type"),
        (
            {"integrations": [{"type": "mlflow", "wandb": {"project": "x"}}]},
            "unexpected value; permitted: 'wandb'", "integrations[0].type",
        ),
        ({"integrations": [{"type": "wandb", "wandb": {}}]}, "Missing required parameter", "integrations[0].wandb.project"),
        ({"extra_body": {"trainingType": "x"}}, "invalid trainingType, extra fields not permitted", "trainingType"),
    ],
)
def test_refused_jobs(
    client: openai.OpenAI, options: dict[str, object], message: str, param: str | None
) -> None:
    with pytest.raises(openai.BadRequestError) as error:
        create(client, **options)
    assert message in error.value.body["message"]
    assert (error.value.param or "").endswith(param or "")
    if isinstance(options.get(param), str):
        assert error.value.body["message"].startswith(f"invalid {param}: {options[param]}")


@pytest.mark.parametrize("model", ["gpt-99", "gpt-3.5-turbo-instruct", "ft:gpt-4o:local::abcdefgh"])
def test_models_that_cannot_be_trained(client: openai.OpenAI, model: str) -> None:
    with pytest.raises(openai.BadRequestError) as error:
        create(client, model=model)
    assert error.value.body["message"] == f"Model {model} is not available for fine-tuning or does not exist."
    assert error.value.code == "model_not_available"


def test_unknown_job(client: openai.OpenAI) -> None:
    jobs = client.fine_tuning.jobs
    for ask in (jobs.retrieve, jobs.cancel, jobs.pause, jobs.resume, jobs.list_events, jobs.checkpoints.list):
        with pytest.raises(openai.NotFoundError) as error:
            ask("ftjob-x")
        assert error.value.body == {
            "message": "Could not find fine tune: ftjob-x", "type": "invalid_request_error",
            "param": "fine_tune_id", "code": "fine_tune_not_found",
        }
