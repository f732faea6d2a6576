"""report.txt: the sentences and figures made from report.json."""

from lstmjax.pipeline.report import COLUMNS, next_commands, show

RATES = {"lines": 3, "cer": 1.234, "wer": 5.0, "bcer": 0.5, "bwer": 10.0}
MODELS = {"best": "out/tessdata_best/mine.traineddata"}


def report(**changes):
    found = {
        "name": "mine",
        "lines": {"train": 8, "eval": 3},
        "division": ["Divided by line: 8 lines for training, 3 for evaluation."],
        "start_model": "",
        "charset": {"size": 20, "added": ()},
        "training": {"iterations": 40},
        "best_state": "the best state is that of iteration 32",
        "evaluation": {"best": {**RATES, "worst": [["abc", "abd"]]}},
        "problems": [],
        "check": {
            "lines": 11, "dropped": [], "missing": [], "rare": [], "blanks_at_ends": 0,
            "dominant": [], "duplicates": 0,
        },
        "next": next_commands("mine", "out", "out/list.eval", MODELS),
    }  # fmt: skip
    return list(show({**found, **changes}))


def test_the_report_says_what_was_trained_and_how_well_it_reads():
    lines = report()
    assert lines[:2] == [
        "mine: 8 lines for training, 3 for evaluation",
        "Divided by line: 8 lines for training, 3 for evaluation.",
    ]
    assert "character set: 20 unichars" in lines
    assert COLUMNS.format("best", 3, "1.23", "5.00", "0.50", "10.00") in lines
    assert "\n  truth  abc\n  read   abd" in lines
    assert "No line was dropped." in lines


def test_new_characters_are_counted_for_a_start_model():
    lines = report(start_model="eng.traineddata", charset={"size": 20, "added": ("ſ", "ꝛ")})
    assert "character set: 20 unichars, 2 more than eng.traineddata" in lines


def test_without_evaluation_lines_there_is_no_table():
    lines = report(evaluation={})
    assert not any("CER" in line for line in lines)


def test_problems_come_with_their_paths():
    lines = report(problems=[("a.gt.txt", "no image beside this text")])
    assert lines[lines.index("What was dropped, what is odd:") + 1] == (
        "  a.gt.txt: no image beside this text"
    )


def test_the_next_commands_leave_out_an_evaluation_without_lines():
    with_lines = next_commands("mine", "out", "out/list.eval", MODELS)
    assert [command[1] for command in with_lines] == ["lstmeval", "page.png", "combine_tessdata"]
    assert next_commands("mine", "out", "", MODELS) == with_lines[1:]
