"""What the watch and the lists have told, put together; whichever came first, and whatever was missed."""

from typing import Any

from controller.launchers.kubernetes.cache import ClusterView
from controller.launchers.kubernetes.objects import job_of, pod_of
from tests.unit.kubernetes_objects import KEY, job, pod, terminated

RUNNING = {"running": {"startedAt": "2025-03-01T10:00:05Z"}}


def a_view(*pods: dict[str, Any]) -> ClusterView:
    view = ClusterView()
    view.begin_list()
    view.end_list([job_of(job())], map(pod_of, pods))
    return view


def phases(view: ClusterView) -> list[str]:
    return [one.status.phase for one in view.of(KEY)[1]]


def test_what_a_list_has_is_known_and_is_no_news() -> None:
    view = a_view(pod("Running", RUNNING))
    assert (phases(view), view.take_changed()) == (["Running"], set())


def test_an_event_is_news_once() -> None:
    view = a_view(pod("Running", RUNNING))
    view.on_event(pod_of(pod("Failed", terminated(137))), deleted=False)
    assert phases(view) == ["Failed"]
    assert view.take_changed() == {KEY}
    assert view.take_changed() == set()


def test_what_was_deleted_is_news_and_not_known_any_more() -> None:
    view = a_view(pod("Running", RUNNING))
    view.on_event(pod_of(pod("Running", RUNNING)), deleted=True)
    view.on_event(job_of(job()), deleted=True)
    assert (view.take_changed(), view.of(KEY), view.keys()) == ({KEY}, (None, []), set())


def test_a_deletion_that_was_missed_is_made_good_by_the_next_list() -> None:
    view = a_view(pod("Running", RUNNING))
    view.begin_list()
    view.end_list([], [])
    assert view.of(KEY) == (None, [])


def test_what_the_watch_says_while_a_list_is_made_is_newer_than_the_list() -> None:
    view = a_view(pod("Running", RUNNING))
    view.begin_list()
    view.on_event(pod_of(pod("Failed", terminated(137))), deleted=False)
    view.end_list([job_of(job())], [pod_of(pod("Running", RUNNING))])
    assert phases(view) == ["Failed"]


def test_what_is_deleted_while_a_list_is_made_does_not_come_back_with_it() -> None:
    view = a_view(pod("Running", RUNNING))
    view.begin_list()
    view.on_event(pod_of(pod("Running", RUNNING)), deleted=True)
    view.end_list([job_of(job())], [pod_of(pod("Running", RUNNING))])
    assert view.of(KEY)[1] == []


def test_an_object_newer_than_the_list_stays() -> None:
    """It is made while the list is made."""
    view = ClusterView()
    view.begin_list()
    view.on_event(job_of(job()), deleted=False)
    view.on_event(pod_of(pod("Running", RUNNING)), deleted=False)
    view.end_list([], [])
    assert (view.keys(), phases(view)) == ({KEY}, ["Running"])


def test_a_list_keeps_the_news_that_came_while_it_was_made() -> None:
    view = a_view(pod("Running", RUNNING))
    view.begin_list()
    view.on_event(pod_of(pod("Running", RUNNING)), deleted=True)
    view.on_event(job_of(job()), deleted=True)
    view.end_list([], [])
    assert view.take_changed() == {KEY}, "its run is on record as launched, and only this tells that it is gone"


def test_a_job_without_a_pod_is_looked_at_again() -> None:
    """Until it has one."""
    view = a_view()
    assert view.take_changed() == view.take_changed() == {KEY}
    view.on_event(pod_of(pod("Running", RUNNING)), deleted=False)
    assert (view.take_changed(), view.take_changed()) == ({KEY}, set())


def test_a_job_that_is_over_needs_no_pod() -> None:
    view = a_view()
    view.on_event(job_of(job("Complete")), deleted=False)
    assert (view.take_changed(), view.podless()) == ({KEY}, [])
    assert view.take_changed() == set()


def test_a_job_made_anew_outlives_the_late_news_of_the_first_ones_end() -> None:
    view = a_view()
    anew = job()
    anew["metadata"]["uid"] = "anew"
    view.on_event(job_of(anew), deleted=False)
    view.on_event(job_of(job()), deleted=True)
    found, _ = view.of(KEY)
    assert found is not None
    assert found.metadata.uid == "anew"


def test_what_names_no_run_is_not_kept() -> None:
    stranger = job()
    stranger["metadata"]["labels"] = {}
    view = ClusterView()
    view.on_event(job_of(stranger), deleted=False)
    assert (view.keys(), view.take_changed()) == (set(), set())
