"""The log as a CSV file: it comes back as it was, from a spreadsheet too, and what cannot be kept is told by line."""

import csv
import datetime as dt
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cs_metrics.errors import WorkspaceError
from cs_metrics.workspace.csv_files import COLUMNS, ImportResult, export_csv, import_csv
from cs_metrics.workspace.database import Workspace
from cs_metrics.workspace.entries import MAX_NOTE, Entry, NewEntry, checked
from tests.workspace_support import ROOT, note, write

HEAD = "topic,account_id,subject,action,note,author,effective_on,body\n"
FLAG = 'cta,a,c1,flag,,Ann,2024-06-30,"{""team_needed"": ""Product""}"\n'
NOTE = "account,a,,note,hello,Ben,2024-06-30,\n"

_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)
_DANGEROUS = st.builds(
    str.__add__, st.sampled_from(["", "=", "+1", "-", "@", "'", "''=", "'-", '"', ",", ";", "{"]), _TEXT
)
_NAME = _DANGEROUS.filter(str.strip)
_NEW = st.one_of(
    st.builds(NewEntry, st.just("account"), _NAME, st.just("note"), note=_NAME),
    st.builds(NewEntry, st.just("cta"), _NAME, st.just("flag"), subject=_NAME, note=_DANGEROUS),
    st.builds(
        NewEntry,
        st.just("cta"),
        _NAME,
        st.just("assign"),
        subject=_NAME,
        note=st.builds("{}\n\n\t{}".format, _DANGEROUS, _DANGEROUS),
        body=st.fixed_dictionaries({"owner": _NAME}),
    ),
)
_ENTRY = st.builds(
    lambda new, author, on, at: checked(new, author=author, effective_on=on, written_at=at),
    _NEW,
    _NAME,
    st.dates(),
    st.datetimes(),
)


def words(entries: list[Entry]) -> list[tuple[object, ...]]:
    """All that an entry says, without the number that a workspace gives it."""
    return [(one.entry_id, one.written_at, *(getattr(one, name) for name in COLUMNS[3:])) for one in entries]


@pytest.fixture
def here(tmp_path: Path) -> Workspace:
    return Workspace.open(tmp_path / "here")


@pytest.fixture
def there(tmp_path: Path) -> Workspace:
    return Workspace.open(tmp_path / "there")


@given(some=st.lists(_ENTRY, min_size=1, max_size=5))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_entry_comes_back_as_it_was_and_no_cell_is_a_formula(
    here: Workspace, there: Workspace, some: list[Entry]
) -> None:
    kept, _ = here.add(some)
    content = export_csv(kept)
    assert import_csv(there, content) == ImportResult(len(kept), added=len(kept))
    found = there.find([one.entry_id for one in kept])
    assert words([found[one.entry_id] for one in kept]) == words(kept)
    assert [one.entry_id for one in there.entries()][-len(kept) :] == [one.entry_id for one in kept]
    for row in csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")):
        assert not [cell for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_a_whole_workspace_moves_to_another_engine(url: str, workspace: Workspace, here: Workspace) -> None:
    write(here, note("1"), NewEntry("cta", "a", "open", body={"kind": "risk", "reason": "Champion left"}))
    write(here, note("=3"), author="Ben", on="2024-07-01")
    assert import_csv(workspace, export_csv(here.entries())) == ImportResult(3, added=3)
    assert workspace.entries() == here.entries()
    assert import_csv(here, export_csv(workspace.entries())) == ImportResult(3, known=3)


def test_what_is_there_already_is_left_as_it_is(here: Workspace, there: Workspace) -> None:
    write(here, note("1"), note("2"))
    first = export_csv(here.entries())
    write(here, note("3"))
    assert import_csv(there, first).added == 2
    assert import_csv(there, export_csv(here.entries())) == ImportResult(3, added=1, known=2)
    assert there.entries() == here.entries()


def test_a_file_written_by_hand_needs_little_and_can_be_imported_twice(here: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "hand.csv"
    path.write_text(HEAD + FLAG + NOTE + NOTE, encoding="utf-8")
    assert import_csv(here, path) == ImportResult(3, added=2, known=1)
    assert import_csv(here, path) == ImportResult(3, known=3)
    flag, said = here.entries()
    assert (flag.author, flag.effective_on, flag.subject) == ("Ann", dt.date(2024, 6, 30), "c1")
    assert (flag.action, flag.body, flag.note) == ("flag", {"team_needed": "Product"}, "")
    assert (said.author, said.subject, said.note) == ("Ben", "a", "hello")
    assert flag.written_at == said.written_at > dt.datetime.fromisoformat("2024-06-30")


def test_the_documented_example_can_be_imported(here: Workspace) -> None:
    text = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    example = next(part for part in text.split("```\n") if part.startswith("topic,"))
    assert import_csv(here, example.encode()) == ImportResult(3, added=3)
    assert [one.action for one in here.entries()] == ["note", "flag", "close"]


@pytest.mark.parametrize(
    "text",
    [
        HEAD + FLAG + NOTE,
        "\ufeff" + HEAD + FLAG + NOTE,
        (HEAD + FLAG + NOTE).replace("\n", "\r\n"),
        (HEAD + FLAG + NOTE).rstrip("\n"),
        HEAD.upper().replace("_", " ") + FLAG + "\n,,,,,,,\n" + NOTE + "\n\n",
        HEAD.replace("\n", ",\n") + FLAG.replace("\n", ", \n") + NOTE,
        (HEAD + FLAG + NOTE).replace(",", ";"),
        (HEAD + FLAG + NOTE).replace(",", "\t"),
        'author,Action,body,note,topic,account_id,Effective_On,subject\nAnn,flag,"{""team_needed"":""Product""}",,cta,a,'
        "2024-06-30,c1\nBen,note,{},hello,account,a,2024-06-30,\n",
    ],
)
def test_the_habits_of_spreadsheets_change_nothing(here: Workspace, text: str) -> None:
    assert import_csv(here, text.encode()).added == 2
    assert [(one.author, one.action, one.note, one.body) for one in here.entries()] == [
        ("Ann", "flag", "", {"team_needed": "Product"}),
        ("Ben", "note", "hello", {}),
    ]


def test_rows_are_written_in_the_order_of_their_numbers(here: Workspace) -> None:
    rows = [("2", "b"), ("", "d"), ("1", "a"), ("10", "c"), ("", "e")]
    text = "seq," + HEAD + "".join(f"{seq},account,a,,note,{word},Ann,2024-06-30,\n" for seq, word in rows)
    import_csv(here, text.encode())
    assert [one.note for one in here.entries()] == ["a", "b", "c", "d", "e"]


def test_times_with_a_zone_are_kept_in_utc(here: Workspace) -> None:
    text = "written_at," + HEAD + "2024-07-01T02:30:00+02:00," + NOTE
    import_csv(here, text.encode())
    assert here.entries()[0].written_at.isoformat() == "2024-07-01T00:30:00"


def test_nothing_is_added_where_any_row_is_refused_and_each_is_told_by_its_line(here: Workspace) -> None:
    write(here, note("mine", entry_id="taken"))
    rows = [
        'account,a,,note,"two\nlines",Ben,2024-06-30,,\n',
        "cta,a,c1,flg,,Ann,2024-06-30,,\n",
        "account,a,,note,,Ann,2024-06-30,,\n",
        "account,a,,note,x,,30/06/2024,,\n",
        "account,a,,note,x,Ann,30/06/2024,,\n",
        "cta,a,c1,flag,,Ann,2024-06-30,team,\n",
        "cta,a,c1,flag,,Ann,2024-06-30,[1],\n",
        f"cta,a,c1,flag,,Ann,2024-06-30,{'[' * 50_000},\n",
        "account,a,,note,other,Ann,2024-06-30,,taken\n",
        "account,a,,note,x,Ann,2024-06-30,,twice\n",
        "account,a,,note,y,Ann,2024-06-30,,twice\n",
    ]
    found = import_csv(here, (HEAD.replace("\n", ",entry_id\n") + "".join(rows)).encode())
    assert (found.read, found.added, found.known) == (11, 0, 0)
    assert [(line, reason.partition(":")[0]) for line, reason in found.rejected] == [
        (4, "action"),
        (5, "note"),
        (6, "effective_on"),
        (7, "effective_on"),
        (8, "body"),
        (9, "body"),
        (10, "body"),
        (11, "entry_id"),
        (13, "entry_id"),
    ]
    assert found.rejected[3][1] == "effective_on: '30/06/2024' is not a day; write it as 2026-03-31."
    assert all(len(reason) < 200 for _, reason in found.rejected)
    assert [one.note for one in here.entries()] == ["mine"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "The file is empty: its first line must name the columns"),
        (b"\n\n", "The file is empty"),
        (b"topic,account_id,action,author\n", "Line 1: the file lacks the columns effective_on"),
        (HEAD.replace("note", "nte").encode(), "Line 1: an entry has no column 'nte'. Did you mean 'note'"),
        (HEAD.replace("body", "Note").encode(), "Line 1: the column 'note' is there twice"),
        ((HEAD + NOTE.replace("\n", ",more\n")).encode(), "Line 2: 'more' stands in a column without a name"),
        ((HEAD + NOTE + NOTE.replace("hello", '"hello')).encode(), "Line 3: the row cannot be split into cells"),
        ((HEAD + NOTE).encode("utf-16"), "is not valid UTF-8; save it as CSV in UTF-8"),
        (("seq," + HEAD + "first," + NOTE).encode(), ""),
        (("written_at," + HEAD + "yesterday," + NOTE).encode(), ""),
    ],
)
def test_what_is_no_such_file_is_refused_as_a_whole(here: Workspace, content: bytes, says: str) -> None:
    if says:
        with pytest.raises(WorkspaceError, match=says):
            import_csv(here, content)
    else:
        assert [line for line, _ in import_csv(here, content).rejected] == [2]
    assert here.version() == 0


def test_a_file_that_is_not_there_is_named(here: Workspace, tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match=r"none\.csv cannot be read: No such file"):
        import_csv(here, tmp_path / "none.csv")


def test_nothing_to_export_is_a_file_with_its_head(here: Workspace) -> None:
    content = export_csv(here.entries())
    assert content.decode("utf-8-sig") == ",".join(COLUMNS) + "\r\n"
    assert import_csv(here, content) == ImportResult(0)
    assert here.version() == 0


def test_the_longest_note_fits(here: Workspace, there: Workspace) -> None:
    write(here, note("\n".join(["ü" * 99] * 40)), note("=" * MAX_NOTE))
    assert import_csv(there, export_csv(here.entries())).added == 2
    assert there.entries() == here.entries()
