"""Publishers' files: those shipped, those in the folder AFFIRM_CORPUS, and the figures that others counted in them."""

import csv
import os
from pathlib import Path

DATA = Path(__file__).parents[1] / "data"
FOLDERS = [DATA, *map(Path, filter(None, [os.environ.get("AFFIRM_CORPUS")]))]
with (DATA / "figures.csv").open(encoding="utf-8", newline="") as table:
    FIGURES = {line["path"]: line for line in csv.DictReader(table)}
