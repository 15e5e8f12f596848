"""config.json: as it was written, or refused."""

import json

import pytest

from minivae.errors import InputError
from minivae.runs.config import read_config, write_config

CONFIG = {"model": "vae", "options": {"data": "größe", "lr": 0.005, "hidden": [16]}, "backend": None}


@pytest.fixture
def path(tmp_path):
    write_config(tmp_path / "config.json", CONFIG)
    return tmp_path / "config.json"


def refusal(path):
    with pytest.raises(InputError, match=r"config\.json is damaged: ") as raised:
        read_config(path)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 600
    return str(raised.value)


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
        ('"format"', '"fonmat"'),
        ("version 2", "version 3"),
        ('"sha256": "', '"sha256": "0'),
    ],
)
def test_a_change_that_is_still_json_is_noticed(path, old, new):
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))
    assert "its format and sha256 are not those" in refusal(path)


@pytest.mark.parametrize("name", ["format", "sha256"])
def test_half_a_seal_is_none(path, name):
    found = json.loads(path.read_text())
    del found[name]
    path.write_text(json.dumps(found))
    assert "its format and sha256 are not those" in refusal(path)


def test_a_seal_whose_parts_have_changed_places_is_noticed(path):
    text = path.read_text()
    path.write_text(text.replace('t": "minivae-run ', 'ha256": "7').replace('"sha256": "', '"sat": "minivae-run '))
    assert "sat" in json.loads(path.read_text())
    assert "its format and sha256 are not those" in refusal(path)


def test_damage_to_both_names_of_the_seal_is_noticed(path):
    path.write_text(path.read_text().replace('"sha256"', '"sha255"').replace('"format"', '"farmot"'))
    assert "its format and sha256 are not those" in refusal(path)


def test_without_both_it_is_one_of_the_first_version_or_changed_on_purpose(path):
    changed = {**CONFIG, "model": "iwae"}
    path.write_text(json.dumps(changed))
    assert read_config(path) == changed


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
