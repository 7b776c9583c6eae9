"""Checks of the descriptions of lists that datasets were submitted with: an older version has taken them."""

from dataset_jobs.model.description import Description
from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.store.client_connection import ClientDatabase
from services.checks.findings import Finding, ok, warning


def check_descriptions(database: ClientDatabase) -> list[Finding]:
    """Whether this version takes all of them; else the dataset can neither be loaded nor loaded again."""
    rows = database.all("doctor.descriptions")
    found = []
    for row in rows:
        try:
            Description.from_json(row["description"])
        except InvalidRequest as error:
            found.append(warning(f"dataset {row['id']}: this version does not take its description: {error}"))
    return found or [ok(f"{len(rows)} different descriptions of lists, all valid" if rows else "no list is described")]
