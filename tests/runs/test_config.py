"""config.json: as it was written, or refused."""

import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from minivae.errors import InputError
from minivae.runs.config import MAY_CHANGE, read_config, seal, write_config
from minivae.version import __version__

CONFIG = {"model": "vae", "options": {"data": "größe", "lr": 0.005, "hidden": [16]}, "backend": None}


@pytest.fixture
def path(tmp_path):
    write_config(tmp_path / "config.json", CONFIG)
    return tmp_path / "config.json"


def refusal(path):
    """What is said, which is one line that says what to do."""
    with pytest.raises(InputError) as raised:
        read_config(path)
    message = str(raised.value)
    assert message.startswith(f"{path} ")
    assert "\n" not in message
    assert len(message) < 600
    assert message.endswith("minivae train --out FOLDER")
    return message.removeprefix(f"{path} ")


WAS_CHANGED = (
    "was changed since minivae wrote it (its sha256 is not that of what it holds); "
    "put the file back as it was, or begin another run: minivae train --out FOLDER"
)


def test_a_config_comes_back(path):
    assert read_config(path) == CONFIG


def test_people_can_read_it(path):
    found = json.loads(path.read_text(encoding="utf-8"))
    assert {name: found[name] for name in CONFIG} == CONFIG
    assert list(found) == ["format", *CONFIG, "sha256"]


def test_spaces_and_the_order_of_names_mean_nothing(path):
    found = json.loads(path.read_text())
    path.write_text(json.dumps(dict(reversed(found.items()))))
    assert read_config(path) == CONFIG


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("0.005", "0.004"),
        ("16", "17"),
        ('"lr"', '"lR"'),
        ("null", "true"),
        ('"sha256"', '"sha257"'),
        ('"sha256": "', '"sha256": "0'),
    ],
)
def test_a_file_changed_by_hand_gets_one_message_that_says_what_to_do(path, old, new):
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))
    assert refusal(path) == WAS_CHANGED


@pytest.mark.parametrize("names", [["sha256"], ["sha256", "format"]])
def test_without_its_checksum_it_is_not_what_minivae_wrote(path, names):
    found = json.loads(path.read_text())
    path.write_text(json.dumps({name: value for name, value in found.items() if name not in names}))
    assert refusal(path) == WAS_CHANGED


@pytest.mark.parametrize(("old", "new"), [("version 1", "version 2"), ("run of", "rum of"), ('"format"', '"fonmat"')])
def test_another_format_is_refused(path, old, new):
    path.write_text(path.read_text().replace(old, new))
    assert refusal(path).startswith(("is a 'minivae-ru", "was changed since"))


def test_another_format_says_who_reads_which(path):
    path.write_text(path.read_text().replace("version 1", "version 2"))
    assert refusal(path) == (
        f"is a 'minivae-run of version 2', of minivae None; this is minivae {__version__}, which reads "
        "'minivae-run of version 1': use the run with the minivae that wrote it, or train it again: "
        "minivae train --out FOLDER"
    )


@pytest.mark.parametrize("folder", ["mnist", "mnist_2d", "frey_face"])
def test_runs_from_before_there_were_formats_are_not_said_to_be_changed(folder):
    """They are in the repository, as version 0.1.0 wrote them."""
    message = refusal(Path(__file__).parents[2] / "examples" / "results" / folder / "config.json")
    assert message.startswith(f"is of minivae 0.1.0; this is minivae {__version__}, which reads ")


def test_a_run_of_now_without_format_and_checksum_was_changed(tmp_path):
    write_config(tmp_path / "config.json", {**CONFIG, "minivae": __version__})
    found = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({"minivae": __version__, "model": found["model"]}))
    assert refusal(tmp_path / "config.json") == WAS_CHANGED


@example(0, None, "a version\nof two lines")
@given(st.none() | st.integers() | st.text() | st.lists(st.integers()), st.none() | st.text(), st.none() | st.text())
def test_whatever_format_checksum_and_version_are_something_is_said(tmp_path_factory, found, checksum, version):
    path = tmp_path_factory.mktemp("run") / "config.json"
    path.write_text(json.dumps({**CONFIG, "format": found, "sha256": checksum, "minivae": version}))
    refusal(path)


def test_a_seal_whose_parts_have_changed_places_is_noticed(path):
    text = path.read_text()
    path.write_text(text.replace('t": "minivae-run ', 'ha256": "7').replace('"sha256": "', '"sat": "minivae-run '))
    assert "sat" in json.loads(path.read_text())
    assert refusal(path) == WAS_CHANGED


def test_a_seal_is_of_all_that_may_not_change():
    first = seal({**CONFIG, "epochs": 1})
    assert seal(dict(reversed(CONFIG.items()))) == first
    for name in MAY_CHANGE:
        assert seal({**CONFIG, name: 3}) == seal({**CONFIG, "options": {**CONFIG["options"], name: 4}}) == first
    for other in ({**CONFIG, "model": "iwae"}, {**CONFIG, "options": {}}, {**CONFIG, "seed": 0}):
        assert seal(other) != first


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"3", b"null", b"\xff\xfe", b"[" * 100_000, b"9" * 5000])
def test_what_is_no_object_is_refused(path, content):
    path.write_bytes(content)
    refusal(path)


def test_a_file_without_end_is_not_read(path):
    with open(path, "wb") as file:
        file.truncate(1 << 40)  # takes no place on the disk
    assert "more than 1048576 characters" in refusal(path)


def test_a_missing_file_is_named(tmp_path):
    assert "No such file" in refusal(tmp_path / "config.json")
