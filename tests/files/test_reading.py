import io
import warnings
from pathlib import Path

import pytest

from minivae.errors import InputError
from minivae.files.reading import Room, read_at_most, read_bytes, reading, require_file


@pytest.mark.parametrize("error", [ValueError("bad\n  bytes"), SyntaxError("broken"), KeyError(7)])
def test_any_error_becomes_one_line_that_names_the_file(error):
    with (
        pytest.raises(InputError, match=r"x\.mat is not a whole MATLAB file: ") as raised,
        reading(Path("x.mat"), "MATLAB file"),
    ):
        raise error
    assert "\n" not in str(raised.value)


def test_a_file_that_is_too_large_is_not_called_damaged_only():
    with pytest.raises(InputError, match=r"^x asks for more memory than there is"), reading(Path("x"), "file"):
        raise MemoryError


def test_errors_of_the_system_say_so():
    with pytest.raises(InputError, match=r"^cannot read x: Permission denied$"), reading(Path("x"), "file"):
        raise PermissionError(13, "Permission denied", "x")


def test_our_own_errors_and_interrupts_pass_through():
    with pytest.raises(InputError, match=r"^as it was$"), reading(Path("x"), "file"):
        raise InputError("as it was")
    with pytest.raises(KeyboardInterrupt), reading(Path("x"), "file"):
        raise KeyboardInterrupt


def test_filters_of_warnings_stay_as_they_are():
    """They are those of all threads, and what one changes and restores another may restore to what it found."""
    before = warnings.filters
    with reading(Path("x"), "file"):
        assert warnings.filters is before
    assert warnings.filters is before


def test_require_file(tmp_path):
    (tmp_path / "empty").touch()
    (tmp_path / "full").write_bytes(b"x")
    assert require_file(tmp_path / "full") == tmp_path / "full"
    assert read_bytes(tmp_path / "full") == b"x"
    for name, message in (("none", "no such file"), ("empty", r"empty \(0 bytes\)"), (".", "no such file")):
        with pytest.raises(InputError, match=message):
            require_file(tmp_path / name)


def test_pieces_end_at_the_count_or_with_the_file():
    for count in (0, 1, 300_000, 300_001):
        assert read_at_most(io.BytesIO(bytes(300_000)), count) == bytes(min(count, 300_000))


def test_room_is_for_250_times_the_size_or_for_48_mebibytes(tmp_path):
    (tmp_path / "x").write_bytes(b"small")
    room = Room(tmp_path / "x")
    room.take(44 << 20)
    room.take(4 << 20)
    with pytest.raises(InputError, match="x would unpack to more than 50331648 bytes"):
        room.take(1)
    with open(tmp_path / "x", "wb") as file:
        file.truncate(1 << 20)  # takes no place on the disk
    Room(tmp_path / "x").take(250 << 20)
    with pytest.raises(InputError, match="more than 262144000 bytes"):
        Room(tmp_path / "x").take((250 << 20) + 1)
