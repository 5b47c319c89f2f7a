"""Two models, one prompt, two answers side by side; each token's background says how sure the model was of it.

    Playground(client, [MODEL, job.fine_tuned_model], "What's the capital of Spain?", system=SYSTEM)
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Literal

import ipywidgets
import openai

from helpers.errors import one_line
from helpers.evaluate import Answer, ask_one, complete_one
from helpers.outputs import Slot

REQUEST_SECONDS = 60.0
UNSURE = "213,94,0"  # vermilion; the less probable the token, the less transparent
STRONGEST = 0.65  # opacity at probability 0, still readable on light and dark pages
LEGEND = (1.0, 0.75, 0.5, 0.25, 0.0)
CELL = "text-align:left;vertical-align:top;white-space:pre-wrap;width:50%"


class Playground:
    """Asks two models the same, with the controls or with `ask`; as a cell's last line it is displayed.

    `models` are chosen at first, the menus offer all of `client.models.list()`. With a `prompt` both are asked when the
    playground is displayed, so that a saved notebook shows answers. `endpoint="completions"` sends the prompt as it is
    (no system message); `stop` ends an answer. Both requests run at the same time; the kernel waits for them.
    """

    def __init__(
        self,
        client: openai.OpenAI,
        models: Sequence[str] = (),
        prompt: str = "",
        *,
        system: str = "",
        endpoint: Literal["chat", "completions"] = "chat",
        temperature: float = 0.0,
        max_tokens: int = 64,
        seed: int = 1,
        stop: str = "",
    ) -> None:
        if endpoint not in ("chat", "completions"):
            raise ValueError(f"endpoint is {endpoint!r}; it can be 'chat' or 'completions'")
        self.endpoint = endpoint
        self._client = client.with_options(timeout=REQUEST_SECONDS)
        self._controls = _Controls(prompt, system, temperature, max_tokens, seed, stop, endpoint == "chat")
        self._controls.button.on_click(lambda button: self.ask())
        note = "Playground of two models: its controls need a kernel. Run this cell."
        self._top = Slot(note, f"<em>{note}</em>", self._controls.box)
        self._answers = Slot("Nothing has been asked yet.")
        self._asked = self._listed = False
        self._offer(list(models))

    def ask(self) -> list[Answer]:
        """Asks both models what the controls say, shows the answers and returns them; one that failed has an `error`."""
        controls, self._asked = self._controls, True
        with controls.busy():
            if not self._listed:
                self._offer(controls.models)
            with ThreadPoolExecutor(2) as pool:
                answers = list(pool.map(self._request, controls.models))
        self._answers.show(*_rendered(controls.models, answers, controls.settings))
        return answers

    def _ipython_display_(self) -> None:
        self._top.display()
        self._answers.display()
        if self._controls.prompt.value and not self._asked:
            self.ask()

    def _offer(self, chosen: list[str]) -> None:
        """Fills the menus; without an answer they hold what was asked for, and the next `ask` tries again."""
        try:
            listed, self._listed = [model.id for model in self._client.models.list()], True
        except openai.OpenAIError as error:
            listed = []
            self._answers.show(one_line(error))
        self._controls.offer(listed, chosen)

    def _request(self, model: str) -> Answer:
        prompt, system, params = self._controls.prompt.value, self._controls.system.value, self._controls.params
        try:
            if not model:
                raise LookupError("no model is chosen")
            if self.endpoint == "completions":
                return complete_one(self._client, model, prompt, logprobs=1, **params)
            return ask_one(self._client, model, prompt, system or None, logprobs=True, **params)
        except (openai.OpenAIError, LookupError) as error:
            return Answer(prompt, None, error=one_line(error))


class _Controls:
    """The widgets, and what they say."""

    def __init__(
        self, prompt: str, system: str, temperature: float, max_tokens: int, seed: int, stop: str, chat: bool
    ) -> None:
        wide = ipywidgets.Layout(width="98%")
        self.menus = [ipywidgets.Dropdown(description=name, layout=wide) for name in ("Left", "Right")]
        self.system = ipywidgets.Textarea(system, description="System", rows=2, layout=wide)
        self.prompt = ipywidgets.Textarea(prompt, description="Prompt", rows=3, layout=wide)
        whole = {"description_width": "initial"}  # the standard width would cut the longer names
        self.temperature = ipywidgets.FloatSlider(temperature, min=0, max=2, step=0.1, description="temperature", style=whole)
        self.max_tokens = ipywidgets.BoundedIntText(max_tokens, min=1, max=4096, description="max_tokens", style=whole)
        self.seed = ipywidgets.IntText(seed, description="seed")
        self.stop = ipywidgets.Text(stop, description="stop", placeholder="ends the answer")
        self.button = ipywidgets.Button(description="Ask both", button_style="primary")
        numbers = ipywidgets.HBox([self.temperature, self.max_tokens, self.seed, self.stop])
        numbers.layout.flex_flow = "row wrap"
        rows = [ipywidgets.HBox(self.menus), *([self.system] if chat else []), self.prompt, numbers, self.button]
        self.box = ipywidgets.VBox(rows)

    @property
    def models(self) -> list[str]:
        return [menu.value or "" for menu in self.menus]

    @property
    def params(self) -> dict[str, Any]:
        """The request's parameters; an empty stop is none."""
        stop = {"stop": self.stop.value} if self.stop.value else {}
        temperature = round(self.temperature.value, 2)  # a slider's third step is 0.30000000000000004
        return {"temperature": temperature, "max_tokens": self.max_tokens.value, "seed": self.seed.value, **stop}

    @property
    def settings(self) -> list[tuple[str, Any]]:
        """What both models were asked, for the reader of the answers."""
        system = [("system", self.system.value)] if self.system.value else []
        return [*system, ("prompt", self.prompt.value), *self.params.items()]

    def offer(self, listed: list[str], chosen: list[str]) -> None:
        """Puts the names into both menus; the first two of `chosen`, else of the others, are selected."""
        names = list(dict.fromkeys(filter(None, [*chosen, *listed])))
        others = [name for name in names if name not in chosen]
        for menu, name in zip(self.menus, [*filter(None, chosen), *others, *names, None, None]):
            menu.options, menu.value = names, name

    @contextmanager
    def busy(self) -> Iterator[None]:
        self.button.disabled, self.button.description = True, "Asking …"
        try:
            yield
        finally:
            self.button.disabled, self.button.description = False, "Ask both"


def coloured(answer: Answer) -> str:
    """An answer as HTML: tokens on backgrounds by probability, which the pointer can read; plain if none is known."""
    if not answer.logprobs:
        return html.escape(answer.text or "")
    return "".join(_token(text, math.exp(logprob)) for text, logprob in answer.logprobs)


def _token(text: str, probability: float) -> str:
    title = html.escape(f"{text!r}: {probability:.1%}")
    shown = html.escape(text).replace("\n", "↵\n")  # a bare line feed would show no background
    return f'<span style="background-color:{_background(probability)}" title="{title}">{shown}</span>'


def _background(probability: float) -> str:
    return f"rgba({UNSURE},{STRONGEST * (1 - min(1.0, probability)):.2f})"


def _facts(answer: Answer) -> str:
    """One line on how the answer came about: also what the colours say, for whoever cannot see them."""
    if answer.error:
        return answer.error
    facts = [f"{answer.completion_tokens} tokens", f"ended by {answer.finish_reason}"]
    if answer.logprobs:
        sure = [math.exp(logprob) for _, logprob in answer.logprobs]
        token, lowest = min(answer.logprobs, key=lambda pair: pair[1])
        facts.append(f"mean probability {sum(sure) / len(sure):.0%}")
        facts.append(f"least sure of {token!r} ({math.exp(lowest):.0%})")
    return " · ".join(facts)


def _rendered(models: list[str], answers: list[Answer], settings: list[tuple[str, Any]]) -> tuple[str, str]:
    """The answers as plain text and as HTML."""
    asked = " · ".join(f"{name}: {value!r}" for name, value in settings)
    plain = [f"{model}\n    {answer.text or ''}\n    {_facts(answer)}" for model, answer in zip(models, answers)]
    rows = [
        "".join(f'<th style="{CELL}">{html.escape(model)}</th>' for model in models),
        "".join(f'<td style="{CELL}">{coloured(answer)}</td>' for answer in answers),
        "".join(f'<td style="{CELL}"><em>{html.escape(_facts(answer))}</em></td>' for answer in answers),
    ]
    table = "".join(f"<tr>{row}</tr>" for row in rows)
    page = f'{html.escape(asked)}<table style="width:100%">{table}</table>{_legend()}'
    return "\n".join([asked, *plain]), page


def _legend() -> str:
    swatches = [f'<span style="background-color:{_background(p)}">&nbsp;{p:.0%}&nbsp;</span>' for p in LEGEND]
    return f"Probability the model gave the token it wrote: {' '.join(swatches)}"
