"""Datasets in words, for every surface: what is loaded of one, and whether it counts."""

from dataset_jobs.model.coverage import years_in_words
from dataset_jobs.model.sentences import Sentence, sentence
from dataset_jobs.model.states import DatasetStatus
from dataset_jobs.store.views import DatasetView

_BORN = {"F": "girls", "M": "boys"}
_LIVING = {"F": "women", "M": "men"}


def at_a_glance(dataset: DatasetView) -> Sentence:
    """What is loaded of a dataset, in a line of a list; or why nothing is."""
    if dataset.loaded_at is None:
        return _not_loaded(dataset)
    text = sentence("{}", ", ".join(filter(None, [_what(dataset), _whose(dataset)])))
    if dataset.error is not None:
        text = sentence("{}; not loaded again: {}", text, dataset.error)
    return text if (place := superseded(dataset)) is None else sentence("{}; {}", text, place)


def superseded(dataset: DatasetView) -> str | None:
    """Whether others count in its place; None if it counts for all that it has."""
    if not dataset.superseded_by:
        return None
    return "does not count, others do" if dataset.superseded else "counts in part, others for the rest"


def sexes_in_words(dataset: DatasetView) -> str:
    """The sexes of its rows: boys and girls are born, men and women live."""
    return " and ".join(sex_in_words(sex, dataset.measure) for sex in dataset.sexes)


def sex_in_words(sex: str, measure: str | None) -> str:
    """A sex of names that were given to children, or that people have."""
    return (_BORN if measure == "births" else _LIVING).get(sex, sex)


def _not_loaded(dataset: DatasetView) -> Sentence:
    if dataset.error is not None:
        return sentence("not loaded: {}", dataset.error)
    if dataset.status == DatasetStatus.PROCESSING:
        return sentence("being loaded")
    return sentence("nothing is loaded of it yet")


def _what(dataset: DatasetView) -> str:
    return " ".join(filter(None, [years_in_words(dataset.years), sexes_in_words(dataset)]))


def _whose(dataset: DatasetView) -> str | None:
    where = None if dataset.region is None else f"region {dataset.region}"
    top = None if dataset.top is None else f"the top {dataset.top} names"
    return ", ".join(filter(None, [where, top])) or None
