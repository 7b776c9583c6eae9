"""Publishers' files: those shipped, those in the folder AFFIRM_CORPUS, and the figures that others counted in them."""

import csv
import os
from pathlib import Path

from dataset_jobs.model.file_hints import FileHints

DATA = Path(__file__).parents[1] / "data"
FOLDERS = [DATA, *map(Path, filter(None, [os.environ.get("AFFIRM_CORPUS")]))]
with (DATA / "figures.csv").open(encoding="utf-8", newline="") as table:
    FIGURES = {line["path"]: line for line in csv.DictReader(table)}


def said_of(path: str) -> FileHints:
    """The hints of a file that does not say all by itself: `region=DE-BE-11001 year=2012`."""
    said = dict(pair.split("=", 1) for pair in (FIGURES.get(path, {}).get("said") or "").split())
    return FileHints(year=int(said.pop("year")) if "year" in said else None, **said)
