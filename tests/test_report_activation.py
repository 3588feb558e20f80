"""The words and pictures of activation: the plateau in every case, the pooled row, three states, and what a click means."""

from typing import Any

import pandas as pd
import pytest

from cs_metrics.report import activation as words
from cs_metrics.report import plotly_cells, plotly_figure

ASKED = words.Asked(action="orders")
FOUND = {
    "is_found": True,
    "reason": "",
    "period": 6,
    "level": 0.614,
    "level_low": 0.56,
    "level_high": 0.67,
    "period_low": 5,
    "period_high": 8,
    "tail_slope": -0.001,
    "tail_loss": 0.02,
    "tail_loss_low": -0.05,
    "tail_loss_high": 0.09,
}


def plateau(reason: str = "", **more: Any) -> pd.DataFrame:
    none = {name: None for name in FOUND if reason and name.startswith(("period", "level"))}
    return pd.DataFrame([{**FOUND, **none, "is_found": not reason, "reason": reason, **more}])


@pytest.mark.parametrize(
    ("found", "title", "note", "sentence"),
    [
        (
            plateau(),
            "Activation settles at 61% from week 6 on",
            "from week 6 on",
            "61% of accounts settle into orders each week, from week 6 on.",
        ),
        (
            plateau("steep", tail_slope=-0.021),
            "Activation never flattens",
            "never flattens",
            "The curve of orders never flattens (-2.1 pp per week): the product may not meet its market.",
        ),
        (
            plateau("keeps_falling", tail_loss=0.44),
            "Activation never flattens",
            "never flattens",
            "The curve of orders never flattens: slowly, the same accounts go on to lose 44% of its level; "
            "the product may not meet its market.",
        ),
        (
            plateau("cohorts_differ"),
            "Older cohorts are lower: there is no one activation rate",
            "cohorts differ",
            "The curve of orders falls only because older cohorts are lower, while the same accounts stay: "
            "compare the cohorts before naming one rate.",
        ),
        (
            plateau("unsure"),
            "Whether activation flattens is not sure yet",
            "not sure yet",
            "Whether the curve of orders flattens cannot be told yet: too few accounts have been seen for long enough.",
        ),
        (
            plateau("nobody"),
            "Activation falls to nothing",
            "never flattens",
            "The curve of orders falls to nothing: the product may not meet its market.",
        ),
        (
            plateau("too_short"),
            "Activation by age of the account",
            "too few weeks",
            "There are too few complete weeks to say where orders settles.",
        ),
    ],
    ids=lambda one: one["reason"].iloc[0] or "found" if isinstance(one, pd.DataFrame) else "",
)
def test_the_plateau_in_words(found: pd.DataFrame, title: str, note: str, sentence: str) -> None:
    assert words.curve_title(found, ASKED) == title
    assert words.plateau_note(found, "week") == note
    assert words.settles(found, ASKED) == sentence


def test_the_plateau_with_all_its_intervals() -> None:
    assert words.plateau_detail(plateau(), ASKED) == (
        "Plateau 61.4% (56% to 67%) from week 6 (5 to 8) on, with 95% intervals; "
        "along it the level of the same accounts moves by -2% (-9% to +5%)."
    ).replace("56%", "56.0%").replace("67%", "67.0%")
    assert words.plateau_help(plateau()) == "95% interval 56.0% to 67.0%."
    assert words.plateau_help(plateau("steep")) == ""
    assert words.plateau_detail(plateau("nobody"), ASKED) == words.settles(plateau("nobody"), ASKED)


def test_of_an_unbounded_curve_no_plateau_is_told() -> None:
    later = words.Asked(action="orders", is_bounded=False)
    assert words.curve_title(plateau(), later) == "Accounts active in the week or later"
    assert "no plateau is sought" in words.plateau_detail(plateau(), later)
    chart = words.curves(table(), plateau(), later, min_accounts=1)
    assert (list(chart.marks), list(chart.bands)) == ([], [])


def test_periods_are_named_by_their_length() -> None:
    assert [words.step_word("days", days) for days in (1, 7, 14)] == ["day", "week", "period"]
    assert words.step_word("month", 7) == "month"


# The table: two monthly cohorts of nine and six, three weeks.


def table() -> pd.DataFrame:
    rows = [
        ("2024-01-01", 9, 0, 9, 6, 6 / 9, "2024-01-01", "2024-02-06"),
        ("2024-01-01", 9, 1, 9, 0, 0.0, "2024-01-08", "2024-02-13"),
        ("2024-01-01", 9, 2, 4, 1, None, "2024-01-15", "2024-02-20"),
        ("2024-02-01", 6, 0, 6, 3, 0.5, "2024-02-01", "2024-03-06"),
        ("2024-02-01", 6, 1, 3, 2, None, "2024-02-08", "2024-03-13"),
        ("2024-02-01", 6, 2, 0, None, None, "2024-02-15", "2024-03-20"),
    ]
    names = ["cohort", "cohort_size", "period", "eligible", "active", "rate", "from_day", "to_day"]
    frame = pd.DataFrame(rows, columns=names).astype({"active": "Int64", "rate": "float64"})
    for name in ("cohort", "from_day", "to_day"):
        frame[name] = pd.to_datetime(frame[name])
    return frame


def by_segment() -> pd.DataFrame:
    return table().assign(cohort=["SMB"] * 3 + [""] * 3)


SEGMENTS = words.Asked(action="orders", cohort="segment")


def test_the_pooled_row_is_the_sum_of_the_rows() -> None:
    found = words.pooled(table(), 5)
    assert found["eligible"].tolist() == [15, 12, 4]
    assert found["active"].tolist() == [9, 2, 1]
    assert found["rate"].tolist()[:2] == [9 / 15, 2 / 12]
    assert pd.isna(found["rate"][2]), "four are too few for a rate"
    assert found["cohort_size"].tolist() == [15] * 3
    assert str(found["from_day"][1].date()) == "2024-01-08"
    assert str(found["to_day"][1].date()) == "2024-03-13"
    nobody = words.pooled(table().assign(eligible=0, active=pd.array([None] * 6, dtype="Int64")), 5)
    assert nobody["active"].isna().all() and nobody["rate"].isna().all()


def test_the_heat_map_begins_with_all_and_draws_number_zero_counts_and_blank_apart() -> None:
    chart = words.matrix(table(), ASKED, min_accounts=5)
    assert chart.rows == ["All", "Jan 2024", "Feb 2024"]
    assert chart.row_notes == ["15", "9", "6"]
    assert chart.columns == ["0", "1", "2"]
    assert chart.cells == [(0.6, 2 / 12, None), (6 / 9, 0.0, None), (0.5, None, None)]
    assert chart.texts[2] == ["3/6", "2/3", ""]
    assert chart.notes[1] == [
        "6 of 9 accounts<br>1 Jan 2024 to 6 Feb 2024",
        "0 of 9 accounts<br>8 Jan 2024 to 13 Feb 2024",
        "1 of 4 accounts, not yet over for 5 more<br>15 Jan 2024 to 20 Feb 2024",
    ]
    assert chart.notes[2][2] == "not yet over<br>15 Feb 2024 to 20 Mar 2024"
    layers = plotly_figure.figure(chart)["data"]
    drawn = [[[cell is not None for cell in row] for row in layer["z"]] for layer in layers]
    for r, k in ((0, 0), (1, 1), (2, 1), (2, 2)):
        states = [at for at, cells in enumerate(drawn) if cells[r][k] and at]
        assert len(states) == 1, "each cell belongs to one state"
    assert drawn[0] == [[False, False, True], [False, False, True], [False, True, False]], (
        "counts stand where no rate is"
    )
    assert layers[0]["text"][2] == ["", "2/3", ""]


def test_rows_of_a_column_stand_by_size_with_the_empty_value_named() -> None:
    assert words.cohort_keys(by_segment(), SEGMENTS) == ["", "SMB", "(empty)"]
    assert words.matrix(by_segment(), SEGMENTS, min_accounts=1).rows == ["All", "SMB", "(empty)"]
    assert words.cohort_choices(by_segment(), SEGMENTS) == {"": "All cohorts", "SMB": "SMB", "(empty)": "(empty)"}
    assert list(words.cohort_choices(table(), ASKED)) == ["", "2024-02-01", "2024-01-01"]


def test_the_curves_are_the_same_table_with_the_plateau_on_the_pooled_line() -> None:
    chart = words.curves(table(), plateau(period=1), ASKED, min_accounts=5)
    grid = words.matrix(table(), ASKED, min_accounts=5)
    assert [one.name for one in (*chart.series, *chart.context)] == grid.rows
    assert [one.y for one in (*chart.series, *chart.context)] == grid.cells
    assert [one.notes for one in (*chart.series, *chart.context)] == grid.notes
    assert chart.bands[0].low == [None, 0.56, 0.56]
    assert chart.marks[0].y == 0.614
    assert words.curves(table(), plateau("steep"), ASKED, min_accounts=5).bands == []


def test_a_late_plateau_is_shown_as_far_as_it_reaches() -> None:
    long = pd.concat([table().iloc[[0]].assign(period=week) for week in range(150)])
    assert len(words.curves(long, plateau(), ASKED, min_accounts=5).x) == 53
    assert len(words.curves(long, plateau(period=60), ASKED, min_accounts=5).x) == 120


def test_only_the_newest_or_largest_cohorts_are_shown_and_the_words_say_so() -> None:
    months = pd.date_range("2022-01-01", periods=20, freq="MS")
    many = pd.concat([table().iloc[:3].assign(cohort=month) for month in months])
    assert words.cohort_keys(many, ASKED)[1] == "2022-07-01"
    assert words.legend(many, ASKED, "curves") == "Blue: all 20 cohorts together. Grey: the 8 newest."
    assert "the sum of all 20 cohorts, the 14 newest below" in words.legend(many, ASKED, "heatmap")
    assert "newest below" not in words.legend(table(), ASKED, "heatmap")


# Clicks.


def test_what_is_clicked_is_the_cell_that_the_hover_names() -> None:
    chart = words.matrix(table(), ASKED, min_accounts=5)
    figure = plotly_figure.figure(chart, has_targets=True)
    targets, layers = figure["data"][-1], figure["data"][:-1]
    assert {one["hoverinfo"] for one in layers} == {"skip"}
    assert not any("hovertemplate" in one for one in layers), "only the point that can be clicked answers the pointer"
    assert len(targets["x"]) == 9
    for x, y, text, (row, column) in zip(
        *(targets[name] for name in ("x", "y", "hovertext", "customdata")), strict=True
    ):
        assert (x, y) == (str(column), row)
        assert text.startswith(f"{chart.rows[row]} · Week {column}<br>")
        assert text.endswith(chart.notes[row][column])


def test_points_of_lines_can_be_clicked_where_there_is_a_number() -> None:
    chart = words.curves(table(), plateau(period=1), ASKED, min_accounts=5, chosen=("2024-01-01", 1))
    targets = plotly_figure.figure(chart, has_targets=True)["data"][-1]
    assert sorted(targets["customdata"]) == [[0, 0], [0, 1], [1, 0], [1, 1], [2, 0]]
    named = dict(zip(map(tuple, targets["customdata"]), targets["hovertext"], strict=True))
    assert named[1, 1].startswith("Jan 2024  <b>0%</b>") or named[1, 1].startswith("Jan 2024  <b>0.0%</b>")
    assert named[0, 0].startswith("All  <b>60.0%</b>")


@pytest.mark.parametrize(
    ("points", "cell"),
    [
        ([{"customdata": [2, 5]}], (2, 5)),
        ([{"x": 1}, {"customdata": [0, 0]}], (0, 0)),
        ([], None),
        ([{"customdata": [-1, 0]}], None),
        ([{"customdata": ["1", 0]}], None),
        ([{"customdata": [1]}], None),
        ([{"customdata": True}], None),
    ],
)
def test_a_click_from_a_browser_is_checked(points: Any, cell: Any) -> None:
    assert plotly_cells.clicked(points) == cell


def test_the_chosen_cell_is_framed_in_both_views() -> None:
    grid = words.matrix(table(), ASKED, min_accounts=5, chosen=("2024-02-01", 1))
    frame = plotly_figure.figure(grid)["layout"]["shapes"][-1]
    assert (frame["x0"], frame["x1"], frame["y0"], frame["y1"]) == (0.5, 1.5, 1.5, 2.5)
    lines = words.curves(table(), plateau(), ASKED, min_accounts=5, chosen=("", 1))
    ring = plotly_figure.figure(lines)["data"][0]
    assert (ring["x"], ring["y"]) == ([1], [2 / 12])
    assert words.matrix(table(), ASKED, min_accounts=5, chosen=("2020-01-01", 1)).chosen is None
    assert words.curves(table(), plateau(), ASKED, min_accounts=5, chosen=("2020-01-01", 1)).chosen is None


@pytest.mark.parametrize(
    ("states", "asked", "title"),
    [
        ([True, False, None], ASKED, "Mar 2024, week 4: 1 of 2 accounts was active"),
        ([None, None], ASKED, "Mar 2024, week 4: not yet over for any of 2 accounts"),
        (
            [True],
            words.Asked(action="x", unit="user", step="month", is_bounded=False),
            "Mar 2024, month 4: 1 of 1 user was active then or later",
        ),
    ],
)
def test_the_list_behind_a_cell_says_how_many_were_active(states: Any, asked: words.Asked, title: str) -> None:
    active = pd.array(states, dtype="boolean")
    accounts = pd.DataFrame({"is_eligible": ~active.isna(), "is_active": active})
    assert words.cell_title(accounts, "Mar 2024", 4, asked) == title
    names = {True: "Active", False: "Not active", None: "Not yet known"}
    assert words.states(accounts) == [names[one] for one in states]
