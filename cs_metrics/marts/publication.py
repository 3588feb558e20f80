"""Which generation readers see: publish one, go back to the one before, forget old ones."""

import json
from pathlib import Path

from cs_metrics.contract.facts import locked, write_atomically
from cs_metrics.errors import StoreError
from cs_metrics.store import generation_path, published_number

__all__ = ["prune", "publish", "rollback"]

_KEEP = 3


def rollback(data_dir: Path) -> int:
    """Publish the newest kept generation before the published one again, and return its number."""
    with locked(data_dir):
        published = published_number(data_dir)
        earlier = [number for number in _kept(data_dir) if number < published]
        if not earlier:
            raise StoreError(f"Generation {published} is the oldest that is kept, so there is nothing to go back to.")
        publish(data_dir, earlier[-1])
        return earlier[-1]


def _kept(data_dir: Path) -> list[int]:
    paths = (data_dir / "generations").glob("generation-*.duckdb")
    return sorted(int(path.stem.removeprefix("generation-")) for path in paths)


def publish(data_dir: Path, number: int) -> None:
    """Make generation `number` the one that readers see from their next question on."""
    if not generation_path(data_dir, number).exists():
        raise StoreError(f"Generation {number} was never built, so it cannot be published.")
    write_atomically(data_dir / "current.json", json.dumps({"generation": number}))


def prune(data_dir: Path, published: int) -> None:
    """Delete all but the newest generations up to the published one; the next load forgets what only they needed."""
    for number in [one for one in _kept(data_dir) if one <= published][:-_KEEP]:
        generation_path(data_dir, number).unlink(missing_ok=True)
