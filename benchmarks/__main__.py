"""Measure loading, every metric and every page on demo companies of several sizes, side by side in one run.

usage: python -m benchmarks [--sizes 400:2000000,2000:10000000] [--repeat 5] [--out docs/benchmarks.md]
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from cs_metrics import periods
from cs_metrics.metrics import METRICS, run
from cs_metrics.store import Database, Store

ROOT = Path(__file__).resolve().parent.parent
Row = dict[str, str]


def child(*words: str, data: Path) -> tuple[float, float]:
    """Run one command of the product in a process of its own; return its seconds and its peak memory in MB."""
    start = time.perf_counter()
    pid = os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", "cs_metrics", *words, "--data", str(data)],
        {**os.environ, "PYTHONPATH": str(ROOT)},
        file_actions=[(os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)],
    )
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise SystemExit(f"`cs_metrics {' '.join(words)}` failed; run it by hand to see why.")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def median_ms(work: Callable[[], object], repeat: int) -> float:
    """Return the median milliseconds of several runs after one that does not count."""
    work()
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def one_more_day(store: Store, folder: Path) -> None:
    """Write a file with the events of the newest day, one day later."""
    day = periods.add_days(store.newest_day, 1)
    sql = "select account_id, event, user_id, sum(times) as times from user_day_event where day = $day group by all"
    rows = store.frame(sql, day=store.newest_day)
    rows = rows.loc[rows.index.repeat(rows["times"])]
    rows["occurred_at"] = [f"{day}T12:{second // 60 % 60:02}:{second % 60:02}" for second in range(len(rows))]
    rows["user_id"] = rows["user_id"].replace("", None)
    rows.drop(columns="times").to_csv(folder / "events.csv", index=False)


def measure(accounts: int, events: int, repeat: int, folder: Path) -> Row:
    """Return what one size costs, by name."""
    data, more = folder / "data", folder / "more"
    more.mkdir(parents=True)
    found: Row = {}
    seconds, memory = child("demo", "--accounts", str(accounts), "--events", str(events), data=data)
    found["demo company made, loaded, built and published"] = f"{seconds:.1f} s"
    found["… its peak memory"] = f"{memory:,.0f} MB"
    store = Database.open(data).current()
    one_more_day(store, more)
    found["one more day of events with `load --add`"] = f"{child('load', str(more), '--add', data=data)[0]:.1f} s"
    found["all marts built again"] = f"{child('build', data=data)[0]:.1f} s"
    size = sum(path.stat().st_size for path in (data / "facts").rglob("*.parquet")) / 1e6
    found["facts on disk"] = f"{size:,.0f} MB"
    store = Database.open(data).current()
    found["generation on disk"] = (
        f"{(data / 'generations' / f'generation-{store.number}.duckdb').stat().st_size / 1e6:,.0f} MB"
    )
    for name in sorted(METRICS):
        found[f"metric `{name}`"] = f"{metric_ms(store, name, repeat):.0f} ms"
    for page in sorted((ROOT / "pages").glob("*.py")):
        found[f"page {page.stem}, warm"] = f"{page_ms(page, data, store, repeat):.0f} ms"
    return found


def metric_ms(store: Store, name: str, repeat: int) -> float:
    """Return the median time of a metric with its defaults, never from a cache."""
    needed = [option for option in METRICS[name].options if option.name == "account_id"]
    options = {option.name: largest(store) for option in needed}
    return median_ms(lambda: run(store, name, as_of=store.newest_day, options=options), repeat)


def largest(store: Store) -> str:
    """Return the account with the most MRR, as an example."""
    sql = "select account_id from mrr_interval where to_day is null order by mrr_cents desc, account_id limit 1"
    return str(store.value(sql))


def page_ms(page: Path, data: Path, store: Store, repeat: int) -> float:
    """Return the median time of a whole page script whose results are cached."""
    from streamlit.testing.v1 import AppTest

    os.environ["CS_METRICS_DATA"] = str(data)
    app = AppTest.from_file(str(page), default_timeout=120)
    app.query_params["account"] = largest(store)
    app.run()
    if app.exception:
        raise SystemExit(f"{page.name} failed: {app.exception[0].message}")
    return median_ms(app.run, repeat)


def main() -> None:
    """Measure every size and write one table."""
    words = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    words.add_argument("--sizes", default="400:2000000,2000:10000000", help="accounts:events, comma-separated")
    words.add_argument("--repeat", type=int, default=5)
    words.add_argument("--out", type=Path, default=ROOT / "docs" / "benchmarks.md")
    asked = words.parse_args()
    columns: dict[str, Row] = {}
    for size in asked.sizes.split(","):
        accounts, events = (int(part) for part in size.split(":"))
        with tempfile.TemporaryDirectory(prefix="cs-metrics-bench-") as folder:
            name = f"{accounts:,} accounts, {events / 1e6:g} M events"
            print(name, file=sys.stderr)
            columns[name] = measure(accounts, events, asked.repeat, Path(folder))
    asked.out.write_text(page_of(columns), encoding="utf-8")
    print(asked.out.read_text(encoding="utf-8"))


def page_of(columns: dict[str, Row]) -> str:
    """Return the Markdown page: a row a measurement, a column a size."""
    table = pd.DataFrame(columns)
    head = f"| what | {' | '.join(table.columns)} |\n|---|{'---:|' * len(table.columns)}"
    rows = [
        f"| {name} | {' | '.join(row)} |" for name, row in zip(table.index, table.astype(str).to_numpy(), strict=True)
    ]
    says = (
        "# Benchmarks\n\nMeasured by `make bench`: every size in the same run, on a machine with "
        f"{os.cpu_count()} cores. Metrics are asked with their defaults and never come from a cache; pages run as a whole "
        "with cached results, as for the second viewer of the same day and filters.\n\n"
    )
    return says + head + "\n" + "\n".join(rows) + "\n"


if __name__ == "__main__":
    main()
