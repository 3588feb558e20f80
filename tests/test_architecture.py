"""The direction of the arrows: facts → marts → metrics → pages, and what each layer may not know."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "cs_metrics"
MODULES = sorted(PACKAGE.rglob("*.py"))
SCRIPTS = [ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py"))]

# What a part of the package may not import.
FORBIDDEN = {
    "errors": ("contract", "workspace", "store", "marts", "metrics", "models", "report", "ui", "cli", "demo"),
    "periods": ("contract", "workspace", "store", "marts", "metrics", "models", "report", "ui", "cli", "demo"),
    "contract": ("workspace", "metrics", "report", "ui", "cli", "demo"),
    "workspace": ("store", "marts", "metrics", "models", "training", "report", "ui", "cli", "demo"),
    "store": ("training", "marts", "metrics.registry", "models", "report", "ui", "cli", "demo"),
    "marts": ("training", "metrics", "report", "ui", "cli", "demo"),
    "models": ("training", "metrics", "report", "ui", "cli", "demo"),
    "metrics": ("training", "report", "ui", "cli", "demo"),
    "training": ("report", "ui", "cli", "demo"),
    "report": ("store", "marts", "contract", "training", "ui", "cli", "demo"),
    "ui": ("cli", "marts", "training", "demo"),
    "demo": ("metrics", "training", "report", "ui", "cli"),
}
SQL = re.compile(r"\bselect\b.+\bfrom\b|\binsert into\b|\bdelete from\b", re.IGNORECASE | re.DOTALL)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imports(path: Path) -> Iterator[str]:
    """Every imported module, with the imported names as if they were modules too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def part_of(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_module_knows_what_comes_after_it(path: Path) -> None:
    forbidden = [f"cs_metrics.{one}" for one in FORBIDDEN.get(part_of(path), ())]
    found = [one for one in imports(path) if any(one == bad or one.startswith(f"{bad}.") for bad in forbidden)]
    assert not found, f"{name_of(path)} imports {found}"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_libraries_stay_where_they_belong(path: Path) -> None:
    homes = {
        "streamlit": "ui",
        "starlette": "ui",
        "plotly": "report",
        "sklearn": "models",
        "xgboost": "models",
        "sqlalchemy": "workspace",
        "alembic": "workspace",
    }
    for module in imports(path):
        library = module.split(".")[0]
        if library in homes:
            assert part_of(path) == homes[library], f"{name_of(path)} imports {library}"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_modules_are_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def test_only_the_store_opens_a_database() -> None:
    found = []
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "connect"
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id == "duckdb"
            ):
                found.append(name_of(path))
    assert set(found) == {"cs_metrics/store.py"}


@pytest.mark.parametrize("path", SCRIPTS, ids=name_of)
def test_pages_are_short_and_open_with_their_question(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 150
    assert ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("path", SCRIPTS, ids=name_of)
def test_pages_compute_nothing(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = [f"line {node.lineno}" for node in ast.walk(tree) if isinstance(node, ast.BinOp | ast.AugAssign)]
    assert not found, f"{name_of(path)} computes in {found}; let a metric do it"


@pytest.mark.parametrize("path", SCRIPTS, ids=name_of)
def test_pages_ask_metrics_and_not_the_database(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    assert not [text for text in texts if SQL.search(text)]
    bad = ("duckdb", "pandas", "cs_metrics.store", "cs_metrics.marts", "cs_metrics.contract")
    found = [one for one in imports(path) if one.startswith(bad)]
    assert not found, f"{name_of(path)} imports {found}"


@pytest.mark.parametrize("path", SCRIPTS[1:], ids=name_of)
def test_every_page_begins_with_the_shell(path: Path) -> None:
    """One call checks data, filters and scope; nothing may be drawn or asked before it."""
    body = [node for node in ast.parse(path.read_text(encoding="utf-8")).body if not isinstance(node, ast.ImportFrom)]
    calls = [ast.unparse(node) for node in body[1:] if "shell.begin(" in ast.unparse(node)]
    before = body[1 : body[1:].index(next(n for n in body[1:] if "shell.begin(" in ast.unparse(n))) + 1]
    assert len(calls) == 1
    assert all(isinstance(node, ast.Assign | ast.AnnAssign | ast.Import | ast.FunctionDef) for node in before)


def test_no_folder_of_pages_stands_beside_the_script_that_every_session_runs() -> None:
    """Streamlit runs such pages directly on a cold start, past the router."""
    assert (PACKAGE / "ui" / "router.py").exists()
    assert not (PACKAGE / "ui" / "pages").exists()
