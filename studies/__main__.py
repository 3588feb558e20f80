"""Run studies and write docs/evidence.md.

usage: python -m studies [NAME ...] [--seeds 20] [--out docs/evidence.md]
"""

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

from studies import STUDIES, find
from studies.finding import page, section, sections

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Run the named studies (all by default); exit code 1 when a claim does not hold."""
    words = argparse.ArgumentParser(prog="python -m studies", description=__doc__.splitlines()[0])
    words.add_argument("names", nargs="*", metavar="NAME", help=", ".join(STUDIES))
    words.add_argument("--seeds", type=int, default=20, help="companies for each study, seeds 1, 2, … [20]")
    words.add_argument("--out", type=Path, default=ROOT / "docs" / "evidence.md")
    asked = words.parse_args()
    unknown = [name for name in asked.names if name not in STUDIES]
    if unknown or asked.seeds < 2:
        words.error(f"no study is called {unknown[0]!r}" if unknown else "--seeds: at least 2")
    written = sections(asked.out.read_text(encoding="utf-8")) if asked.out.exists() else {}
    all_hold = True
    for name in asked.names or STUDIES:
        with tqdm(file=sys.stderr, leave=False, bar_format="{desc:40.40} {bar} {n_fmt}/{total_fmt}") as bar:

            def progress(what: str, done: int, total: int, name: str = name, bar: "tqdm[None]" = bar) -> None:
                bar.total = total
                bar.set_description_str(f"{name}: {what}", refresh=False)
                bar.update(done - bar.n)

            finding = find(name).run(range(1, asked.seeds + 1), progress)
        written[name] = section(finding)
        asked.out.write_text(page(written, STUDIES), encoding="utf-8")
        all_hold = all_hold and finding.holds
        print(f"{name}: {'holds' if finding.holds else 'does not hold'}")
    raise SystemExit(0 if all_hold else 1)


if __name__ == "__main__":
    main()
