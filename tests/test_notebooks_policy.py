"""What every notebook of the course keeps to. Each rule is a function of one notebook, itself tested on made-up notebooks."""
from __future__ import annotations

import ast
import csv
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from tools.notebooks import NOTEBOOKS
from tools.service import ROOT

Notebook = dict[str, Any]
Cell = dict[str, Any]
CHECKED = re.compile(r"^\s*#\s*NBVAL_CHECK_OUTPUT", re.MULTILINE)
MACHINE_PATH = re.compile(r"(?<![\w.:/])(?:/(?:home|root|work|tmp|Users|private)/|/var/folders/|[A-Z]:\\)\S*")
PIP_INSTALL = re.compile(r"pip3? install ([^\n`\"']*)")
MOST_LINES, MOST_LINES_OF_FUNCTIONS = 10, 14


def text(lines: str | list[str]) -> str:
    """A notebook's text, stored as one string or as a list of lines."""
    return lines if isinstance(lines, str) else "".join(lines)


def code_cells(notebook: Notebook) -> Iterator[tuple[str, Cell]]:
    """Every code cell that has code, with its place for people: the number counts all cells from 1."""
    for number, cell in enumerate(notebook["cells"], 1):
        if cell["cell_type"] == "code" and text(cell["source"]).strip():
            yield f"cell {number} ({text(cell['source']).strip().splitlines()[0][:50]})", cell


def python_of(source: str) -> ast.Module | None:
    """The cell as Python, its line magics as the calls they stand for; None for a cell in another language."""
    return None if source.lstrip().startswith("%%") else ast.parse(TransformerManager().transform_cell(source))


def tags(cell: Cell) -> list[str]:
    return cell["metadata"].get("tags", [])


# --- the rules: what is wrong, each with its place -------------------------------------------------------------------

def long_cells(notebook: Notebook) -> Iterator[str]:
    for place, cell in code_cells(notebook):
        source = text(cell["source"])
        lines = sum(bool(line.strip()) for line in source.splitlines())
        module = python_of(source)
        statements = module.body if module else [None]
        functions = all(isinstance(node, (ast.FunctionDef, ast.Import, ast.ImportFrom)) for node in statements)
        most = MOST_LINES_OF_FUNCTIONS if functions else MOST_LINES
        if lines > most:
            yield f"{place}: {lines} lines of code, at most {most}"


def not_run_in_order(notebook: Notebook) -> Iterator[str]:
    for expected, (place, cell) in enumerate(code_cells(notebook), 1):
        if cell.get("execution_count") != expected:
            yield f"{place}: execution count {cell.get('execution_count')}, not {expected}: start.py run --save makes it right"


def error_outputs(notebook: Notebook) -> Iterator[str]:
    for place, cell in code_cells(notebook):
        errors = [output["ename"] for output in cell["outputs"] if output["output_type"] == "error"]
        if errors and "raises-exception" not in tags(cell):
            yield f"{place}: ends in {errors[0]} without the tag raises-exception"


def vacuous_checks(notebook: Notebook) -> Iterator[str]:
    """nbval passes a cell that has no stored output whatever it prints: such a check checks nothing."""
    for place, cell in code_cells(notebook):
        if CHECKED.search(text(cell["source"])) and not (cell.get("execution_count") and cell["outputs"]):
            yield f"{place}: NBVAL_CHECK_OUTPUT without a stored output"


def texts_of(notebook: Notebook) -> Iterator[tuple[str, str]]:
    """Everything a reader sees as text: sources, streams, text and HTML outputs."""
    for number, cell in enumerate(notebook["cells"], 1):
        yield f"cell {number}", text(cell["source"])
        for output in cell.get("outputs", []):
            shown = [output.get("text", ""), *(output.get("data", {}).get(kind, "") for kind in ("text/plain", "text/html"))]
            yield f"output of cell {number}", "\n".join(text(part) for part in shown)


def machine_paths(notebook: Notebook) -> Iterator[str]:
    for place, shown in texts_of(notebook):
        if found := MACHINE_PATH.search(shown):
            yield f"{place}: {found.group()} exists on one machine only"


def unpinned_installs(notebook: Notebook) -> Iterator[str]:
    for place, shown in texts_of(notebook):
        for packages in PIP_INSTALL.findall(shown):
            if "-r " not in packages and any("==" not in word for word in packages.split() if not word.startswith("-")):
                yield f"{place}: pip install {packages.strip()} without versions"


def named_models(module: ast.Module, models: frozenset[str]) -> list[ast.Constant]:
    constants = (node for node in ast.walk(module) if isinstance(node, ast.Constant))
    return [node for node in constants if isinstance(node.value, str) and node.value in models]


def literal_models(notebook: Notebook, models: frozenset[str]) -> Iterator[str]:
    """Model names retire: code may name one only to give it a name of its own, as in `MODEL = "…"`."""
    for place, cell in code_cells(notebook):
        source = text(cell["source"])
        module = python_of(source)
        if module is None:
            named = [name for name in models if re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])", source)]
        else:
            constants = [node.value for node in ast.walk(module) if isinstance(node, ast.Assign)
                         and isinstance(node.targets[0], ast.Name) and node.targets[0].id.isupper()]
            named = [node.value for node in named_models(module, models) if node not in constants]
        for name in named:
            yield f"{place}: the model {name} by name; assign it to a constant first"


RULES: list[Callable[[Notebook], Iterator[str]]] = [
    long_cells, not_run_in_order, error_outputs, vacuous_checks, machine_paths, unpinned_installs,
]


# --- the course ------------------------------------------------------------------------------------------------------

def model_names() -> frozenset[str]:
    """The models of providers; the local base is our own, and does not retire."""
    with (ROOT / "data" / "models.csv").open(encoding="utf-8", newline="") as table:
        return frozenset(row["id"] for row in csv.DictReader(table) if row["id"] != row["local_base"])


ALL = sorted(NOTEBOOKS.rglob("*.ipynb")) if NOTEBOOKS.exists() else []
ALL = [path for path in ALL if ".ipynb_checkpoints" not in path.parts]


def read(path: Path) -> Notebook:
    return json.loads(path.read_text(encoding="utf-8"))


def test_the_course_begins_with_its_first_two_notebooks() -> None:
    numbers = [path.name[:2] for path in ALL if path.parent == NOTEBOOKS]
    assert numbers[:2] == ["00", "01"], "notebooks/ lacks the first lessons"
    assert len(set(numbers)) == len(numbers), "two notebooks have one number"


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_notebook_keeps_the_rule(path: Path, rule: Callable[[Notebook], Iterator[str]]) -> None:
    assert list(rule(read(path))) == []


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_notebook_names_models_by_constants(path: Path) -> None:
    assert list(literal_models(read(path), model_names())) == []


def test_code_names_no_model() -> None:
    """Models of a provider stand in data/models.csv alone. The corpus is natural language: a Curie there is a person."""
    sources = [path for room in ("helpers", "localtune", "tools") for path in (ROOT / room).rglob("*.py")]
    models = model_names()
    named = [f"{path.relative_to(ROOT)}:{node.lineno}: {node.value}"
             for path in sources if "corpus" not in path.parts
             for node in named_models(ast.parse(path.read_text(encoding="utf-8")), models)]
    assert named == []


# --- the rules themselves --------------------------------------------------------------------------------------------

def cell(source: str, count: int | None = 1, outputs: list[dict[str, Any]] | None = None, **metadata: Any) -> Cell:
    return {"cell_type": "code", "source": source, "execution_count": count, "outputs": outputs or [], "metadata": metadata}


def notebook(*cells: Cell) -> Notebook:
    return {"cells": list(cells)}


def stream(shown: str) -> list[dict[str, Any]]:
    return [{"output_type": "stream", "name": "stdout", "text": [shown]}]


ERROR = [{"output_type": "error", "ename": "ValueError", "evalue": "", "traceback": []}]
LINES = "x = 1\n\n"
FUNCTION = "import math\n\ndef f(x):\n"
RETIRED = frozenset({"old-1"})


@pytest.mark.parametrize("rule, good", [
    (long_cells, cell(LINES * 10)),
    (long_cells, cell(FUNCTION + "    x += 1\n" * 12)),
    (long_cells, cell("reply = !curl -s {url}\n%matplotlib inline\n!ls")),
    (not_run_in_order, cell("x", 1)),
    (error_outputs, cell("f()", outputs=ERROR, tags=["raises-exception"])),
    (vacuous_checks, cell("# NBVAL_CHECK_OUTPUT\nprint(1)", 1, stream("1"))),
    (machine_paths, cell("open('../data/x')", outputs=stream("see https://example.org/home/page"))),
    (unpinned_installs, cell("%pip install -q trl==1.16.0")),
    (unpinned_installs, cell("!pip install -r requirements.txt")),
])
def test_a_good_cell_passes(rule: Callable[[Notebook], Iterator[str]], good: Cell) -> None:
    assert list(rule(notebook(good))) == []


@pytest.mark.parametrize("rule, bad", [
    (long_cells, cell(LINES * 11)),
    (long_cells, cell("%%bash\n" + "echo\n" * 10)),
    (long_cells, cell(FUNCTION + "    x += 1\n" * 13)),
    (long_cells, cell(FUNCTION + "    x += 1\n" * 8 + "f(1)")),
    (not_run_in_order, cell("x", None)),
    (not_run_in_order, cell("x", 2)),
    (error_outputs, cell("f()", outputs=ERROR)),
    (vacuous_checks, cell("# NBVAL_CHECK_OUTPUT\nprint(1)", None, stream("1"))),
    (vacuous_checks, cell("# NBVAL_CHECK_OUTPUT\nprint(1)", 1)),
    (machine_paths, cell("open('/home/ada/x')")),
    (machine_paths, cell("f()", outputs=stream("saved in C:\\Users\\Ada"))),
    (machine_paths, cell("f()", outputs=[{"output_type": "display_data", "data": {"text/html": ["<a href='/tmp/x'>"]}}])),
    (unpinned_installs, cell("!pip install trl==1.16.0 datasets")),
])
def test_a_bad_cell_is_reported_with_its_place(rule: Callable[[Notebook], Iterator[str]], bad: Cell) -> None:
    problems = list(rule(notebook(bad)))
    assert len(problems) == 1 and "cell 1" in problems[0]


def test_empty_cells_and_prose_are_not_executed() -> None:
    prose = {"cell_type": "markdown", "source": ["# Title"], "metadata": {}}
    assert list(not_run_in_order(notebook(prose, cell("a", 1), cell(" ", None), cell("b", 2)))) == []


@pytest.mark.parametrize("source", ['MODEL = "old-1"', "ask(MODEL)", 'print("older than old-1")', "%%bash\necho old-1-mini"])
def test_a_model_may_be_given_a_name(source: str) -> None:
    assert list(literal_models(notebook(cell(source)), RETIRED)) == []


@pytest.mark.parametrize("source", [
    'ask(model="old-1")', 'model = "old-1"', 'MODELS = ["old-1"]', '%%bash\necho \'{"model": "old-1"}\'',
])
def test_a_model_named_elsewhere_is_reported(source: str) -> None:
    assert len(list(literal_models(notebook(cell(source)), RETIRED))) == 1
