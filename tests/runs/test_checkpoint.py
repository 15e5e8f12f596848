"""Checkpoints: whole or refused."""

import io
import json
import zipfile

import numpy as np
import pytest

import minivae
from minivae.errors import InputError
from minivae.files.npy import digest
from minivae.runs import load_checkpoint, save_checkpoint
from minivae.runs.checkpoint import TAKEN, as_json, put_under, under

from ..datasets.conftest import damaged

ARRAYS = {
    "model/encoder.weight": np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3),
    "model/decoder.bias": np.array([np.pi, -0.0, 5e-324]),
    "optimizer/0/count": np.array(17),
    "running/kl": np.array(2.5, np.float32),
}
META = {"step": 3, "config": {"name": "größe", "hidden": [500]}, "history": [{"bound": -100.1}]}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.npz"


@pytest.fixture
def content(path):
    """The bytes of a whole checkpoint, which lies at ``path``."""
    save_checkpoint(path, ARRAYS, META)
    return path.read_bytes()


def assert_whole(arrays, meta):
    assert arrays.keys() == ARRAYS.keys()
    for name, array in arrays.items():
        assert (array.shape, array.dtype) == (ARRAYS[name].shape, ARRAYS[name].dtype)
        assert array.tobytes() == ARRAYS[name].tobytes()
    assert {name: meta[name] for name in META} == META


def refusal(path):
    with pytest.raises(InputError) as raised:
        load_checkpoint(path)
    message = str(raised.value)
    assert str(path) in message
    assert "\n" not in message
    return message


def test_what_was_saved_comes_back_bit_by_bit(path, content):
    assert_whole(*load_checkpoint(path))


def test_numpy_alone_can_read_it(path, content):
    with np.load(path, allow_pickle=False) as file:
        assert json.loads(str(file["meta"]))["format"] == "minivae-checkpoint"


def test_a_truncated_file_is_refused(path, content):
    for length in range(0, len(content), 97):
        path.write_bytes(content[:length])
        refusal(path)


def test_a_damaged_file_is_refused_or_read_whole(path, content):
    refused = 0
    for variant in damaged(content, count=300, seed=1):
        path.write_bytes(variant)
        try:
            found = load_checkpoint(path)
        except InputError as error:
            refused += "\n" not in str(error)  # a message of several lines does not count
        else:
            assert_whole(*found)  # the change hit a byte that means nothing, such as a date
    assert refused > 200


def test_a_missing_file_is_named(path):
    assert "no such file" in refusal(path)


def npy(value, **options):
    file = io.BytesIO()
    np.save(file, value, **options)
    return file.getvalue()


def npz(**members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return file.getvalue()


def npz_with_meta(meta):
    """An archive whose checksum is right."""
    text = np.array(meta if isinstance(meta, str) else json.dumps(meta))
    return npz(meta=npy(text), sha256=npy(np.array(digest({"meta": text}))))


@pytest.mark.parametrize(
    "content",
    [
        b"a text",
        npy(np.zeros(3)),
        npz(),
        npz(weights=npy(np.zeros(3))),
        npz(meta=npy(np.array("{}"))),
        npz(meta=npy(np.zeros(3)), sha256=npy(np.array(digest({"meta": np.zeros(3)})))),
        npz(sha256=npy(np.array(digest({})))),
        npz_with_meta("not JSON"),
        npz_with_meta([1, 2]),
        npz_with_meta({"format": "minivae-checkpoint"}),
    ],
    ids=["text", "npy", "empty", "no meta", "no sha256", "numbers", "sha256 alone", "no JSON", "a list", "no version"],
)
def test_what_is_no_checkpoint_is_refused(path, content):
    path.write_bytes(content)
    refusal(path)


@pytest.mark.parametrize("version", [2, 0, "1", None, [1]])
def test_another_version_is_refused_and_says_whose_it_is(path, version):
    path.write_bytes(npz_with_meta({"format": "minivae-checkpoint", "version": version, "minivae": "9.1"}))
    message = refusal(path)
    assert f"is a 'minivae-checkpoint' of version {version!r}, of minivae '9.1'; this is minivae" in message
    assert "which reads minivae-checkpoint of version 1" in message


def test_another_format_is_refused(path):
    path.write_bytes(npz_with_meta({"format": "o\nther", "version": 1}))
    assert "is a 'o\\nther' of version 1" in refusal(path)


def test_formats_and_versions_are_in_the_file(path, content):
    with np.load(path, allow_pickle=False) as file:
        meta, checksum = json.loads(str(file["meta"])), str(file["sha256"])
        arrays = {name: file[name] for name in file.files if name != "sha256"}
    assert (meta["version"], meta["minivae"]) == (1, minivae.__version__)
    assert checksum == digest(arrays)


def rewritten(path, change):
    """Write the archive anew with other members: what its own checksums do not see."""
    with np.load(path, allow_pickle=False) as file:
        members = dict(file)
    change(members)
    np.savez(path, **members)


def flip(name):
    def change(members):
        members[name].reshape(-1).view(np.uint8)[0] ^= 1

    return change


CHANGES = {
    "a value": flip("model/encoder.weight"),
    "a count": flip("optimizer/0/count"),
    "the checksum": flip("sha256"),
    "the metadata": lambda members: members.update(meta=np.array(str(members["meta"]).replace("3", "4"))),
    "a name": lambda members: members.update({"model/x": members.pop("running/kl")}),
    "a dtype": lambda members: members.update({"running/kl": members["running/kl"].view(np.int32)}),
    "a shape": lambda members: members.update({"model/encoder.weight": members["model/encoder.weight"].reshape(3, 2)}),
    "no array": lambda members: members.pop("optimizer/0/count"),
    "one more array": lambda members: members.update(x=np.zeros(2)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_any_other_content_is_noticed_where_the_archive_itself_is_whole(path, content, change):
    rewritten(path, CHANGES[change])
    assert "is damaged" in refusal(path)


def test_metadata_nested_beyond_the_parser_are_refused(path):
    path.write_bytes(npz_with_meta("[" * 200_000))
    assert "no readable meta" in refusal(path)


class Bomb:
    def __reduce__(self):
        return pytest.fail, ("a pickle was loaded",)


def test_pickled_objects_are_refused_without_being_loaded(path):
    objects = npy(np.array([Bomb()], object), allow_pickle=True)
    path.write_bytes(npz(**{"model/weight": objects, "meta": npy(np.array("{}"))}))
    assert "pickled" in refusal(path)


def test_a_failed_write_leaves_the_old_checkpoint(path, content):
    with pytest.raises(InputError, match=r"meta is .*; expected what JSON can hold"):
        save_checkpoint(path, ARRAYS, {"step": object()})
    with pytest.raises(InputError, match=r"arrays\['x'\] is .*; expected an array of numbers"):
        save_checkpoint(path, {"x": object()}, META)
    with pytest.raises(ValueError, match="without values"):
        save_checkpoint(path, {"model/weight": Unsaveable()}, META)
    assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("name", TAKEN)
def test_an_array_that_would_take_the_place_of_our_own_is_refused(path, name):
    with pytest.raises(InputError, match=f"arrays has the name '{name}'; expected none of meta, sha256"):
        save_checkpoint(path, {**ARRAYS, name: np.zeros(2)}, META)


class Unsaveable:
    def __array__(self, dtype=None, copy=None):
        raise ValueError("Object without values")


def test_a_folder_that_is_missing_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="cannot write"):
        save_checkpoint(tmp_path / "none" / "model.npz", ARRAYS, META)


def test_as_json_gives_what_a_file_would_give_back():
    given = {"betas": (0.9, 0.999), "seed": np.int64(3), "lr": np.float32(0.5)}
    assert as_json(given) == {"betas": [0.9, 0.999], "seed": 3, "lr": 0.5}


@pytest.mark.parametrize("value", [object(), np.zeros(2), {("a", "b"): 1}], ids=["object", "array", "key"])
def test_as_json_says_what_json_cannot_hold(value):
    with pytest.raises(InputError, match="is not what JSON can hold: "):
        as_json({"x": value})


def test_names_go_under_a_prefix_and_out_of_it():
    arrays = {"a": 1, "b/c": 2}
    everything = put_under("model/", arrays) | put_under("optimizer/", {"a": 3})
    assert under("model/", everything) == arrays
    assert under("optimizer/", everything) == {"a": 3}


def test_a_packed_checkpoint_is_refused(tmp_path):
    """None is written so; a packed one of 76 KiB could hold lists of 200 MiB."""
    save_checkpoint(tmp_path / "model.npz", ARRAYS, META)
    with np.load(tmp_path / "model.npz") as file:
        np.savez_compressed(tmp_path / "packed.npz", **file)
    with pytest.raises(InputError, match=r"packed\.npz is compressed; expected a file that is not"):
        load_checkpoint(tmp_path / "packed.npz")
