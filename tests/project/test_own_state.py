"""What a test leaves open is not the next one's: in order, the first leaves a runtime behind, the second finds none."""

from core import paths, runtime


def test_a_runtime_is_left_open() -> None:
    assert runtime.get().projects.create("Left behind").id == "left-behind"


def test_the_next_test_has_a_runtime_of_its_own_folder() -> None:
    here = runtime.get()
    assert here.store.path == paths.database() and [one.id for one in here.projects.all()] == ["brightwater"]
