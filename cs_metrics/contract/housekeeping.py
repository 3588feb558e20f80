"""What a load leaves on disk: the folder it works in, the traces of a killed one, fact files that nothing uses any more."""

import re
import shutil
from pathlib import Path

from cs_metrics.contract.facts import manifest_path, read_manifest
from cs_metrics.contract.history import read_history, write_record
from cs_metrics.errors import NothingPublished, StoreError
from cs_metrics.store import generation_path, published_number

__all__ = ["clean_up", "forget_load", "published_or_none", "staging_folder"]


def published_or_none(data_dir: Path) -> int | None:
    """Return the number of the published generation, None before the first."""
    try:
        return published_number(data_dir)
    except NothingPublished:
        return None


def staging_folder(data_dir: Path, number: int) -> Path:
    """Return the folder in which a load keeps what it has read so far."""
    return data_dir / f".staging-{number}"


def clean_up(data_dir: Path) -> None:
    """Remove what a killed load left behind and close its record; call it with the lock held.

    A load that was killed after the pointer moved is published, only its record did not say so yet.
    """
    published = published_or_none(data_dir)
    for folder in data_dir.glob(".staging-*"):
        shutil.rmtree(folder, ignore_errors=True)
    for record in read_history(data_dir):
        if record.status == "running" and record.number == published:
            write_record(data_dir, record.model_copy(update={"status": "published"}))
        elif record.status == "running":
            write_record(data_dir, record.model_copy(update={"status": "refused", "reason": "the load was killed"}))
            forget_load(data_dir, record.number)
    _forget_facts(data_dir, published)


def forget_load(data_dir: Path, number: int) -> None:
    """Remove every trace of a load except its record and its rejected rows; of a published one only the working folder."""
    shutil.rmtree(staging_folder(data_dir, number), ignore_errors=True)
    published = published_or_none(data_dir)
    if number != published:
        generation_path(data_dir, number).unlink(missing_ok=True)
        manifest_path(data_dir, number).unlink(missing_ok=True)
        _forget_facts(data_dir, published)


def _forget_facts(data_dir: Path, published: int | None) -> None:
    """Delete the manifests of generations that are gone, and the fact files that no manifest lists."""
    used: set[Path] = set()
    for path in (data_dir / "facts").glob("manifest-*.json"):
        number = int(re.sub(r"\D", "", path.stem))
        if number != published and not generation_path(data_dir, number).exists():
            path.unlink(missing_ok=True)
            continue
        try:
            manifest = read_manifest(data_dir, number)
        except StoreError:
            return  # without knowing what it lists nothing may be deleted
        used |= {data_dir / file for files in manifest.files.values() for file in files}
    for path in (data_dir / "facts").rglob("*.parquet"):
        if path not in used:
            path.unlink(missing_ok=True)
