"""A file as a whole: its size and bytes, its lines compared, what should not be published, and the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.formatting import chat_row, completion_row, write_jsonl
from helpers.tables import ROOT
from helpers.validation import RULES, check, is_accepted, rules_page, validate
from helpers.validation.__main__ import main
from helpers.validation.findings import KEPT
from tests.helpers.chats import ASSISTANT, GOOD, USER, chat, rules, write


def test_a_good_file_has_no_findings(tmp_path: Path) -> None:
    findings = validate(write_jsonl(tmp_path / "train.jsonl", GOOD), model="gpt-4.1-2025-04-14")
    assert findings.empty and is_accepted(findings)


def test_all_problems_are_listed_together(tmp_path: Path) -> None:
    path = write(tmp_path / "train.txt", ["{", chat(USER), '{"prompt": "a", "completion": " b"}'])
    findings = validate(path)
    assert set(zip(findings["line"], findings["rule"])) == {
        (0, "wrong_extension"),
        (0, "too_few_examples"),
        (0, "mixed_formats"),
        (1, "invalid_json"),
        (2, "example_missing_assistant_message"),
    }
    assert not is_accepted(findings)


def test_size_of_the_data_set(tmp_path: Path) -> None:
    assert rules(validate([])) == {"empty_file"}
    assert rules(validate(GOOD[:9])) == {"too_few_examples"} and validate(GOOD[:9], training=False).empty
    assert rules(validate(GOOD[:10])) == {"few_examples"} and is_accepted(validate(GOOD[:10]))


def test_file_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("helpers.validation.rules.MAX_FILE_BYTES", 100)
    assert rules(validate(write_jsonl(tmp_path / "train.jsonl", GOOD))) == {"file_too_large"}


def test_empty_lines_at_the_end_are_harmless(tmp_path: Path) -> None:
    path = write(tmp_path / "train.jsonl", [*(json.dumps(row) for row in GOOD), "", "  "])
    assert validate(path).empty


def test_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in GOOD), encoding="utf-8-sig")
    assert rules(validate(path)) == {"byte_order_mark"}
    near = chat_row("Be brief.", "question 0", "Answer 0!")  # the first line is read all the same
    path.write_text("".join(json.dumps(row) + "\n" for row in [*GOOD, GOOD[0], near]), encoding="utf-8-sig")
    assert validate(path)[["line", "rule"]].to_numpy().tolist() == [
        [1, "byte_order_mark"], [51, "duplicate_example"], [52, "near_duplicate"]
    ]


def test_duplicates_name_the_first_copy() -> None:
    findings = validate([*GOOD, {"messages": [dict(reversed(m.items())) for m in GOOD[6]["messages"]]}])
    assert findings[["line", "rule", "what"]].to_numpy().tolist() == [[51, "duplicate_example", "the same as line 7"]]
    assert is_accepted(findings)


def test_too_long_for_the_model() -> None:
    rows = [completion_row(f"{n} " * 30, "x") for n in range(50)]
    assert set(validate(rows, model="tiny-limit")["rule"]) == {"too_long"}
    with pytest.warns(UserWarning, match="another-maker") as warned:
        assert validate(rows, model="another-maker").empty
    assert any("no limit is known" in str(one.message) for one in warned)
    assert validate(rows).empty


def test_the_page_of_rules_is_the_table() -> None:
    assert (ROOT / "docs" / "validation-rules.md").read_text(encoding="utf-8") == rules_page()
    assert all(f"`{rule}`" in rules_page() for rule in RULES)


def test_near_duplicates_differ_in_case_spaces_and_punctuation_only() -> None:
    near = chat_row("Be  brief!", "question 9", "Answer 9")
    findings = validate([*GOOD, near]).query("rule == 'near_duplicate'")
    assert findings[["line", "what"]].to_numpy().tolist() == [[51, "nearly the same as line 10"]]
    other = chat_row("Be brief.", "Question 9?", "Answer 9. And one more sentence.")
    assert "near_duplicate" not in rules(validate([*GOOD, other]))


def test_the_same_question_with_another_answer() -> None:
    findings = validate([*GOOD, chat_row("Be brief.", "Question 3?", "I do not know.")])
    assert findings[["line", "rule", "what"]].to_numpy().tolist() == [[51, "conflicting_answers", "another answer in line 4"]]
    assert validate([completion_row("", f"poem {n}") for n in range(50)]).empty  # no question at all is no question


def test_leakage_between_training_and_validation(tmp_path: Path) -> None:
    training = write_jsonl(tmp_path / "t.jsonl", GOOD)
    other = [chat_row("Be brief.", "New?", "Yes."), GOOD[6], chat_row("Be brief.", "Question 8?", "Eight.")]
    report = check(training, validation=write_jsonl(tmp_path / "v.jsonl", other))
    found = report.frame()[["line", "rule"]].to_numpy().tolist()
    assert found == [[7, "leaked_example"], [9, "leaked_question"]]
    assert report.accepted and report.validation is not None and report.validation.frame().empty
    pairs = [completion_row("q", "a")]
    assert not check(GOOD, validation=pairs).accepted  # another form than the training file


def test_labels_are_balanced_and_spelt_in_one_way() -> None:
    rows = [completion_row(f"text {n}", "negative" if n % 20 == 7 else "positive") for n in range(100)]
    assert rules(validate(rows)) == {"label_imbalance"}
    rows = [completion_row(f"text {n}", ("yes", "no", "Yes")[n % 3]) for n in range(60)]
    assert rules(validate(rows)) == {"label_spelling"}


def test_system_prompts_that_differ() -> None:
    odd = chat_row("Be long.", "Question?", "Answer.")
    findings = validate([*GOOD, odd])
    assert findings[["line", "rule"]].to_numpy().tolist() == [[0, "system_prompt_differs"], [51, "system_prompt_differs"]]
    assert is_accepted(findings)


def test_line_ends(tmp_path: Path) -> None:
    lines = [json.dumps(row).encode() for row in GOOD]
    path = tmp_path / "train.jsonl"
    path.write_bytes(b"\r\n".join(lines))
    assert validate(path).empty
    path.write_bytes(b"\r\n".join(lines[:20]) + b"\r\n" + b"\n".join(lines[20:]))
    assert rules(validate(path)) == {"mixed_line_ends"}


def test_the_byte_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    line = json.dumps(GOOD[0]).encode()
    bad = line.replace(b"Answer", b"Answ\xe9r")
    path = write(tmp_path / "train.jsonl", [*[json.dumps(row) for row in GOOD], bad])
    what = validate(path).query("rule == 'not_utf8'").iloc[0]
    assert what["line"] == 51 and f"byte {bad.index(0xE9) + 1} of the line is 0xe9" in what["what"]


def test_a_lone_carriage_return_is_named(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    path.write_bytes(b"\r".join(json.dumps(row).encode() for row in GOOD))
    assert "carriage return" in validate(path).query("rule == 'invalid_json'").iloc[0]["what"]


SECRETS = ["sk-" + "a1" * 16, "sk-ant-api03-" + "a1_-" * 8, "AKIA" + "A1" * 8, "ASIA" + "A1" * 8, "AIzaSy" + "a1-" * 11,
           "-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----", "eyJhbGciOiJI.eyJz.x",
           "github_pat_" + "a1" * 12, "ghp_" + "a" * 36, "gho_" + "a" * 36, "ghs_" + "a" * 36, "hf_" + "a" * 34,
           "sk_live_" + "a1" * 12, "npm_" + "a1" * 18, "xoxb-" + "1a" * 12, "xoxp-" + "1a" * 12]


@pytest.mark.parametrize("secret", SECRETS)
def test_keys_whose_form_is_known_are_found_once(secret: str) -> None:
    found = validate([*GOOD, chat_row("Be brief.", "What is the key?", f"It is {secret}")])
    assert found[["line", "rule"]].to_numpy().tolist() == [[51, "secret"]] and secret[8:] not in found.iloc[0]["what"]


def test_secrets_are_not_repeated_in_the_report_and_examples_are_no_addresses() -> None:
    key = chat_row("Be brief.", "Key? a@example.com @you", "-----BEGIN PRIVATE KEY-----")
    rows = [*GOOD, key, chat_row("Be brief.", "Key?", "AKIA" + "A1" * 8)]
    findings = validate(rows)
    assert findings[["line", "rule"]].to_numpy().tolist() == [[51, "secret"], [52, "secret"]]
    assert "A1A1" not in " ".join(findings["what"])


def test_many_findings_are_counted_and_few_are_kept() -> None:
    rows = [*GOOD, *[{"messages": [{"role": "human", "content": str(n)}]} for n in range(1000)]]
    findings = validate(rows)
    assert findings.attrs["counts"]["unrecognized_role"] == 1000
    listed = findings.query("rule == 'unrecognized_role'")
    assert len(listed) == KEPT + 1 and listed.iloc[-1]["line"] == 1050 and "900 are not listed" in listed.iloc[-1]["what"]


def test_a_huge_line_is_skipped_and_the_next_one_read(tmp_path: Path) -> None:
    lines: list[str | bytes] = [json.dumps(row) for row in GOOD]
    lines[3] = b"x" * (40 * 1024**2)
    findings = validate(write(tmp_path / "train.jsonl", lines))
    assert findings[["line", "rule"]].to_numpy().tolist() == [[4, "line_too_large"]]


@pytest.mark.parametrize("model", ["gpt-4.1-2025-04-14", "tiny-limit"])
def test_all_tokens_are_counted_as_one_by_one(model: str) -> None:
    from helpers.tokens import count_row

    rows = [*GOOD, {"messages": [{**USER, "name": "Ann"}, {**ASSISTANT, "weight": 1}]}, chat_row(None, "long " * 40, "x")]
    report = check(rows, model, tokens=True)
    assert report.tokens is not None and report.tokens["examples"] == len(rows)
    assert report.tokens["total"] == sum(count_row(row, model) for row in rows)
    assert ("too_long" in report.findings.counts) == (model == "tiny-limit")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no head")
def test_a_reader_who_leaves_early_gets_no_traceback(tmp_path: Path) -> None:
    path = write(tmp_path / "bad.jsonl", ["{"] * 3000)
    command = f'"{sys.executable}" -m helpers.validation "{path}"'
    ended = subprocess.run(f"{command} | head -1", shell=True, cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    assert "bad.jsonl: 3,000 lines" in ended.stdout and ended.stderr == ""


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = write_jsonl(tmp_path / "good.jsonl", GOOD), write(tmp_path / "bad.jsonl", ["{"])
    assert main([str(good), "--quiet"]) == 0 and capsys.readouterr().out == ""
    assert main([str(good), str(bad), "--json"]) == 1
    reports = json.loads(capsys.readouterr().out)
    assert [report["accepted"] for report in reports] == [True, False]
    assert reports[1]["findings"][-1]["rule"] == "invalid_json" and reports[1]["counts"]["invalid_json"] == 1
    assert main([str(good), "--validation", str(good)]) == 0 and "leaked_example" in capsys.readouterr().out
    assert main([str(tmp_path / "none.jsonl")]) == 2 and "none.jsonl" in capsys.readouterr().err
    assert main(["--rules"]) == 0 and capsys.readouterr().out == rules_page()
