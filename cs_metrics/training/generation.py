"""Make a generation: its marts, then what is computed from them, in one file that appears whole or not at all."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from cs_metrics.config import Config, load_config
from cs_metrics.contract.facts import Manifest, Touched, locked, next_number, read_manifest, write_manifest
from cs_metrics.marts.build import build
from cs_metrics.marts.publication import prune, publish
from cs_metrics.store import draft, published_number
from cs_metrics.training.steps import STEPS, Step

__all__ = ["make", "rebuild"]

Progress = Callable[[str, int, int], None]


def make(
    data_dir: Path,
    manifest: Manifest,
    *,
    config: Config,
    earlier: int | None = None,
    touched: Touched | None = None,
    steps: Sequence[Step] | None = None,
    progress: Progress | None = None,
) -> None:
    """Write generation `manifest.number`, marts and all that is computed from them; it is not published yet.

    `earlier` is the generation before it. With `touched` only what changed of its marts is computed again; without,
    everything is. A failure leaves no file behind.
    """
    chosen = STEPS if steps is None else steps

    def finish(path: Path) -> None:
        with draft(path, manifest.number, data_dir, earlier) as made:
            for done, step in enumerate(chosen):
                if progress is not None:
                    progress(step.name, done, len(chosen))
                found = step.run(made)
                for table, columns in step.tables.items():
                    made.write(table, columns, found.get(table, pd.DataFrame(columns=list(columns))))

    build(
        data_dir,
        manifest,
        config=config,
        previous=earlier if touched is not None else None,
        touched=touched,
        finish=finish,
        progress=progress,
    )


def rebuild(data_dir: Path, *, progress: Progress | None = None) -> int:
    """Make a generation of the published facts again, publish it, and return the new generation's number."""
    with locked(data_dir):
        earlier = published_number(data_dir)
        manifest = read_manifest(data_dir, earlier).model_copy(update={"number": next_number(data_dir)})
        make(data_dir, manifest, config=load_config(data_dir), earlier=earlier, progress=progress)
        write_manifest(data_dir, manifest)
        publish(data_dir, manifest.number)
        prune(data_dir, manifest.number)
        return manifest.number
