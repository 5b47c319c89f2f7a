"""LoRA on an open-weight model, two trainers: our worker and TRL's SFTTrainer, for speed and for the loss of every step.

    python3 start.py bench openweight_speed [--shortest 256] [--longest 1024] [--answers 0.5] [--repeats 3]

The model has random weights in Qwen3's shape: on a GPU that of Qwen3-0.6B, on a processor a hundredth of it in nearly the same
proportions. Both trainers get the same token ids in the same batches, learn the same share of them, and begin with the same
weights and the same adapter of rank 16, in the same precision, with the same optimiser and schedule and without gradient
checkpointing. Our time includes the adapters that a job writes; TRL writes none here. TRL's environment: see `trl_speed`.
"""
from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, Qwen3Config
from transformers.utils.logging import disable_progress_bar

from localtune.jobs.spec import JobSpec
from localtune.openweight.adapt import PEAK_RATES, new_adapter
from localtune.openweight.chat import OpenTokenizer
from localtune.openweight.load import choose_device, context_length, load_model, load_tokenizer
from localtune.train.data import Example, epoch_order, load_dataset
from localtune.train.optimiser import learning_rate
from tests.bench.trl_speed import KEPT_MEMORY, Result, make_bench_venv, recorder, report, run_ours, run_trl
from tests.openweight.tiny_open import tiny_tokenizer
from tools.scaling import Shape, flops_per_token

SMALL = {"hidden_size": 192, "intermediate_size": 576, "num_hidden_layers": 6, "num_attention_heads": 6,
         "num_key_value_heads": 3, "head_dim": 64, "vocab_size": 6_016}
QWEN3_06B = {"hidden_size": 1024, "intermediate_size": 3072, "num_hidden_layers": 28, "num_attention_heads": 16,
             "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 151_936}
# Dense bfloat16 products a second that NVIDIA's data sheets promise.
BF16_PEAKS = {"H200": 989e12, "H100": 989e12, "A100": 312e12, "L40S": 362e12, "L4": 121e12, "A10G": 70e12}
FRAME = 12  # tokens, about, that the chat template writes around a row


def write_base(folder: Path, sizes: dict[str, int]) -> Path:
    """A complete folder as `save_pretrained` makes it; the tokenizer uses a small part of the vocabulary."""
    tiny_tokenizer("qwen3").save_pretrained(folder)
    torch.manual_seed(0)
    settings = Qwen3Config(**sizes, max_position_embeddings=4096, tie_word_embeddings=True)
    AutoModelForCausalLM.from_config(settings, dtype=torch.float32).save_pretrained(folder)
    return folder


def digits(rng: random.Random, count: int) -> str:
    """A text of so many tokens: the tokenizer has no piece of two digits."""
    return "".join(rng.choices("0123456789", k=max(1, count)))


def row(rng: random.Random, options: argparse.Namespace) -> dict[str, Any]:
    length = rng.randint(options.shortest, options.longest) - FRAME
    answer = int(options.answers * length)
    return {"messages": [{"role": "user", "content": digits(rng, length - answer)},
                         {"role": "assistant", "content": digits(rng, answer)}]}


def job(folder: Path, options: argparse.Namespace) -> JobSpec:
    """The job, with its base and training file written into `folder`."""
    rng, rows = random.Random(options.seed), folder / "rows.jsonl"
    lines = (json.dumps(row(rng, options)) + "\n" for _ in range(options.steps * options.batch))
    rows.write_text("".join(lines), encoding="utf-8")
    base = write_base(folder / "base", QWEN3_06B if torch.cuda.is_available() else SMALL)
    return JobSpec(
        job_id="bench", attempt=1, base=str(base), adaptation="lora", training_file=str(rows), validation_file=None, output="",
        n_epochs=1, batch_size=options.batch, learning_rate_multiplier=1.0, seed=options.seed, threads=options.threads,
    )


def train_with_trl(spec: JobSpec) -> None:
    """TRL's side, in a process of its own; writes result.json into the job's folder."""
    from datasets import Dataset
    from trl import SFTConfig

    losses: list[float] = []
    torch.set_num_threads(spec.threads)
    device, dtype = choose_device()
    model = load_model(Path(spec.base), device, dtype).requires_grad_(False)
    tokenizer, peak = OpenTokenizer(load_tokenizer(Path(spec.base))), PEAK_RATES["lora"]
    data = load_dataset("training file", Path(spec.training_file), tokenizer, context_length(model.config))
    rows = [{"input_ids": list(example.ids), "labels": labels_of(example)} for example in data.examples]
    in_order = [rows[n] for n in epoch_order(len(rows), spec.seed, 0)]
    model = new_adapter(model, spec.base, spec.seed)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=peak, betas=(0.9, 0.95), weight_decay=0.01, fused=True)
    steps = len(rows) // spec.batch_size
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda done: learning_rate(min(done + 1, steps), steps, spec.learning_rate_multiplier, peak) / peak)
    config = SFTConfig(
        output_dir=spec.output, num_train_epochs=1, per_device_train_batch_size=spec.batch_size, max_grad_norm=1.0,
        max_length=None, bf16=dtype == torch.bfloat16, gradient_checkpointing=False, use_cpu=device.type == "cpu",
        seed=spec.seed, logging_steps=1, save_strategy="no", report_to="none", disable_tqdm=True, dataloader_pin_memory=False,
    )
    trainer = recorder(losses)(model=model, args=config, train_dataset=Dataset.from_list(in_order),
                                processing_class=tokenizer.inner, optimizers=(optimiser, schedule))
    started, cpu = time.perf_counter(), time.process_time()
    trainer.train()
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    result = {"training": seconds, "cpu": cpu, "tokens": data.n_tokens, "losses": losses}
    Path(spec.output, "result.json").write_text(json.dumps(result), encoding="utf-8")


def labels_of(example: Example) -> list[int]:
    """The token ids that are learnt, -100 where none is."""
    learnt = {position + 1 for position in example.learnt}
    return [id if place in learnt else -100 for place, id in enumerate(example.ids)]


# --- the report ------------------------------------------------------------------------------------------------------

def peak_flops() -> tuple[float, str]:
    """Products and sums a second that this machine can do at best, and where the figure is from."""
    device, dtype = choose_device()
    name = torch.cuda.get_device_name() if device.type == "cuda" else ""
    for chip, peak in BF16_PEAKS.items():
        if chip in name and dtype == torch.bfloat16:
            return peak, f"{chip}'s data sheet, bfloat16"
    return matrix_rate(device, dtype), f"a matrix product measured here, {str(dtype).removeprefix('torch.')}"


def matrix_rate(device: torch.device, dtype: torch.dtype, size: int = 1_536) -> float:
    left, right = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    times = []
    for _ in range(6):
        started = time.perf_counter()
        (left @ right)[0, 0].item()
        times.append(time.perf_counter() - started)
    return 2 * size**3 / min(times)


def report_share(spec: JobSpec, ours: list[Result], trl: list[Result], options: argparse.Namespace) -> None:
    """What share of the machine's peak the needed arithmetic is, for both."""
    settings = Qwen3Config.from_pretrained(spec.base)
    flops = flops_per_token(Shape.of(settings), "lora", (options.shortest + options.longest) / 2, options.answers)
    peak, source = peak_flops()
    print(f"\n{flops / 1e9:.3f} GFLOP a token; peak {peak / 1e12:.3f} TFLOP/s ({source})")
    for name, results in (("ours", ours), ("TRL", trl)):
        rate = statistics.median(result.tokens / result.training for result in results)
        print(f"{name:<6}{rate:>10,.0f} tokens/s   {rate * flops / peak:.1%} of the peak")


def parse() -> argparse.Namespace:
    cuda = torch.cuda.is_available()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3, help="pairs of runs, ours and TRL's in turn")
    parser.add_argument("--steps", type=int, default=50 if cuda else 5)
    parser.add_argument("--batch", type=int, default=8 if cuda else 4)
    parser.add_argument("--shortest", type=int, default=1_024 if cuda else 256, help="tokens of a row")
    parser.add_argument("--longest", type=int, default=1_024, help="tokens of a row")
    parser.add_argument("--answers", type=float, default=0.5, help="share of the tokens that are learnt")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep-memory", action="store_true", help="give TRL the allocator settings that our worker makes")
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    options = parse()
    if options.inside:
        return train_with_trl(JobSpec.load(options.inside))
    torch.set_num_threads(options.threads)
    disable_progress_bar()
    make_bench_venv()
    with tempfile.TemporaryDirectory() as folder:
        spec = job(Path(folder), options)
        ours, trl = [], []
        for repeat in range(1, options.repeats + 1):
            ours.append(run_ours(spec))
            trl.append(run_trl(spec, KEPT_MEMORY if options.keep_memory else {}, Path(__file__)))
            print(f"repeat {repeat}: ours {ours[-1].training:.2f} s, TRL {trl[-1].training:.2f} s", flush=True)
        report(ours, trl)
        report_share(spec, ours, trl, options)


if __name__ == "__main__":
    main()
