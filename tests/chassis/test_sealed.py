"""Sealed values: a key for each subject, remembered only once it is on record."""

import multiprocessing
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from uuid import uuid4

import pytest
from sqlalchemy import text

from chassis.database import Database
from chassis.records import plumbing_context
from chassis.sealed import SealBroken
from tests.conftest import SEALING_KEY


def seal(database: Database, subject: str, words: str) -> bytes:
    """Seals in a transaction of its own."""
    with database.unit_of_work(plumbing_context()) as uow:
        return uow.seal(subject, words)


def open_(database: Database, subject: str, sealed: bytes) -> str:
    """Opens in a transaction of its own."""
    with database.unit_of_work(plumbing_context(), read_only=True) as uow:
        return uow.open(subject, sealed)


def another(database: Database) -> Database:
    """The same database as another process sees it: with nothing remembered."""
    password = str(database.url.password)
    url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    return Database(url, password, service="toy", sealing_key=SEALING_KEY, pool_size=1)


def test_what_was_sealed_opens_and_hides_its_words(toy_database: Callable[[], Database]) -> None:
    database = toy_database()
    sealed = seal(database, "ada", "a secret word")
    assert b"secret" not in sealed
    assert open_(database, "ada", sealed) == "a secret word"
    assert seal(database, "ada", "a secret word") != sealed


def test_it_opens_for_its_own_subject_alone(toy_database: Callable[[], Database]) -> None:
    database = toy_database()
    sealed = seal(database, "ada", "hers")
    seal(database, "bea", "another's")
    with pytest.raises(SealBroken):
        open_(database, "bea", sealed)
    with pytest.raises(SealBroken):
        open_(database, "cyd", sealed)


@pytest.mark.parametrize("torn", [b"", b"\x01", b"\x02" + b"x" * 40, b"plain text that was never sealed"])
def test_what_is_no_sealed_value_is_refused_without_its_words(
    toy_database: Callable[[], Database], torn: bytes
) -> None:
    database = toy_database()
    seal(database, "ada", "hers")
    with pytest.raises(SealBroken) as refused:
        open_(database, "ada", torn)
    assert "plain" not in str(refused.value)


@pytest.mark.parametrize("times", [1, 3])
def test_a_key_that_was_rolled_back_is_forgotten(toy_database: Callable[[], Database], times: int) -> None:
    """However often the transaction used it, and through whichever unit of work: what is sealed later opens elsewhere."""
    database = toy_database()
    with pytest.raises(RuntimeError), database.unit_of_work(plumbing_context()) as uow:  # noqa: PT012
        for _ in range(times):
            assert uow.open("ada", uow.seal("ada", "lost")) == "lost"
            beside = type(uow)(database, uow.connection, plumbing_context(), read_only=False)
            assert beside.open("ada", beside.seal("ada", "lost")) == "lost"
        raise RuntimeError
    sealed = seal(database, "ada", "kept")
    assert open_(database, "ada", sealed) == "kept"
    elsewhere = another(database)
    assert open_(elsewhere, "ada", sealed) == "kept"
    elsewhere.dispose()


def test_an_erased_subject_does_not_open_any_more(
    toy_database: Callable[[], Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here at once, in another process as soon as it forgets by itself."""
    database = toy_database()
    sealed = seal(database, "ada", "hers")
    elsewhere = another(database)
    assert open_(elsewhere, "ada", sealed) == "hers"
    with database.unit_of_work(plumbing_context()) as uow:
        uow.execute(text("DELETE FROM sealing_key WHERE subject_id = 'ada'"))
    database.sealer.forget("ada")
    with pytest.raises(SealBroken):
        open_(database, "ada", sealed)
    from chassis import sealed as module

    late = module.time.monotonic() + module._REMEMBERED_S
    monkeypatch.setattr(module.time, "monotonic", lambda: late)
    with pytest.raises(SealBroken):
        open_(elsewhere, "ada", sealed)
    elsewhere.dispose()


def _seal_elsewhere(
    url: str, password: str, subjects: list[str], together: Barrier, found: "multiprocessing.Queue[list[bytes]]"
) -> None:
    database = Database(url, password, service="toy", sealing_key=SEALING_KEY, pool_size=1)
    sealed = []
    for subject in subjects:
        together.wait(60)
        sealed.append(seal(database, subject, subject))
    found.put(sealed)
    database.dispose()


def test_two_processes_that_make_a_key_at_once_agree(toy_database: Callable[[], Database]) -> None:
    database = toy_database()
    url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    context = multiprocessing.get_context("spawn")
    together, found = context.Barrier(2), context.Queue()
    subjects = [str(uuid4()) for _ in range(20)]
    both = [
        context.Process(target=_seal_elsewhere, args=(url, str(database.url.password), subjects, together, found))
        for _ in range(2)
    ]
    for process in both:
        process.start()
    for sealed in (found.get(timeout=60), found.get(timeout=60)):
        assert [open_(database, subject, one) for subject, one in zip(subjects, sealed, strict=True)] == subjects
    for process in both:
        process.join()


def test_the_keys_that_are_remembered_are_bounded(
    toy_database: Callable[[], Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    from chassis import sealed as module

    monkeypatch.setattr(module, "_CACHED_KEYS", 3)
    database = toy_database()
    sealed = {subject: seal(database, subject, subject) for subject in "abcdef"}
    for subject, one in sealed.items():
        assert open_(database, subject, one) == subject
    assert list(database.sealer._keys) == ["d", "e", "f"]
