"""Destroying keys: nothing is certified that was not there to be destroyed."""

from pathlib import Path

import pytest

from recordings import container
from recordings.retention.erasing import erase
from recordings.storage.away import Away, leave
from tests.recordings.proofs import Keys, Small, small


@pytest.fixture
def one(tmp_path: Path) -> Small:
    return small(tmp_path / "rec-1", Keys(tmp_path / "keys"))


def has_key(path: Path) -> bool:
    return bool(container.read_header(path).wrapped_key)


def test_a_folder_that_is_not_there_is_no_destruction(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="journal"):
        erase(tmp_path / "not mounted", owner="rec-1")
    (tmp_path / "empty").mkdir()
    with pytest.raises(OSError, match="journal"):
        erase(tmp_path / "empty", owner="rec-1")


def test_nothing_is_touched_while_a_file_that_is_known_of_is_missing(one: Small, tmp_path: Path) -> None:
    films = [film.file for film in one.facts.films]
    (one.folder / films[0]).rename(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="is not there"):
        erase(one.folder, owner="rec-1", named=films)
    assert has_key(one.folder / "journal") and has_key(one.folder / films[1])
    (tmp_path / "elsewhere").rename(one.folder / films[0])
    leave(one.folder / films[0], Away("k", "v", 1, "0" * 64))  # its header is here, wherever the rest lies
    done = erase(one.folder, owner="rec-1", named=films)
    assert {*films, "journal"} <= {each.file for each in done}
    assert not has_key(one.folder / "journal") and not has_key(one.folder / f"{films[0]}.away")


def test_what_is_none_of_ours_goes_and_is_not_missed_by_who_comes_again(one: Small) -> None:
    film = one.folder / one.facts.films[0].file
    (one.folder / "journal").write_bytes(b"in the clear")
    film.write_bytes(b"in the clear" * 100)
    (one.folder / "draft.unfinished").write_bytes(b"x")
    for _ in range(2):
        done = erase(one.folder, owner="rec-1", named=[film.name])
        assert film.name not in {each.file for each in done}
    assert (one.folder / "journal").read_bytes() == b"" == film.read_bytes()
    assert not (one.folder / "draft.unfinished").exists()
