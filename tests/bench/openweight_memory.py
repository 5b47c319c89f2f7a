"""Peak memory of training small open-weight models on this processor, beside the formula of docs/scaling.md.

    python3 start.py bench openweight_memory [--rows 2] [--length 512]

Random Qwen3-shaped models, float32, two steps with half of the tokens learnt, each in a process of its own. Measured is how
far the process grew beyond what it held before the model was made. Linux and macOS.
"""
from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
from pathlib import Path

import psutil
import torch
from transformers import AutoModelForCausalLM, Qwen3Config

from localtune.openweight.adapt import LearntLogits, new_adapter
from localtune.train.data import Example, collate
from localtune.train.objective import loss_and_hits
from localtune.train.optimiser import AdamW
from tools.scaling import Load, Shape, training_bytes

SHAPES = (Shape(192, 576, 6, 6, 3, 64, 6_016), Shape(256, 768, 10, 8, 4, 64, 13_568), Shape(384, 1_152, 12, 12, 6, 64, 16_000))
MB = 1e6


def grown(shape: Shape, method: str, rows: int, length: int) -> float:
    """Train two steps; bytes by which this process grew at most."""
    torch.set_num_threads(1)
    before = psutil.Process().memory_info().rss
    model = AutoModelForCausalLM.from_config(config_of(shape), dtype=torch.float32)
    if method == "lora":
        model = new_adapter(model.requires_grad_(False), "base", 1)
    subject = LearntLogits(model, torch.device("cpu"), torch.float32)
    optimiser = AdamW([weight for weight in subject.parameters() if weight.requires_grad])
    ids = torch.randint(shape.vocabulary, (rows, length), generator=torch.Generator().manual_seed(0)).tolist()
    batch = collate((Example(tuple(row), tuple(range(length // 2, length - 1))) for row in ids), 0)
    for _ in range(2):
        loss, _ = loss_and_hits(subject, batch)
        loss.backward()
        optimiser.step(1e-4)
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit - before


def config_of(shape: Shape) -> Qwen3Config:
    return Qwen3Config(
        hidden_size=shape.hidden, intermediate_size=shape.intermediate, num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads, num_key_value_heads=shape.kv_heads, head_dim=shape.head_dim,
        vocab_size=shape.vocabulary, tie_word_embeddings=shape.tied, max_position_embeddings=4_096,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2)
    parser.add_argument("--length", type=int, default=512, help="tokens of a row")
    parser.add_argument("--inside", nargs=2, metavar=("SHAPE", "METHOD"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        print(grown(SHAPES[int(options.inside[0])], options.inside[1], options.rows, options.length))
        return
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536"}  # freed memory goes back at once, so the peak is the need
    for number, shape in enumerate(SHAPES):
        for method in ("lora", "full"):
            command = [sys.executable, str(Path(__file__)), "--rows", str(options.rows), "--length", str(options.length)]
            done = subprocess.run([*command, "--inside", str(number), method], env=environment, capture_output=True, text=True,
                                  check=True)
            measured = float(done.stdout)
            computed = training_bytes(shape, method, "float32", Load(options.rows, options.length))
            sizes = f"measured {measured / MB:5.0f} MB  formula {computed / MB:5.0f} MB  {computed / measured:.2f}"
            print(f"{shape.parameters / 1e6:6.1f} M  {method}  {sizes}", flush=True)


if __name__ == "__main__":
    main()
