from __future__ import annotations

import json

import pytest

from harness.errors import UserError
from harness.records.run_folder import RunFolder
from harness.storage.files import canonical_json, content_hash, read_json, write_json


def test_a_step_is_logged_once_also_after_a_restart(tmp_path):
    first = RunFolder(tmp_path)
    first.log("continued", 1, loss=2.0)
    first.log("continued", 2, loss=1.5)
    again = RunFolder(tmp_path)
    again.log("continued", 2, loss=1.5)
    again.log("continued", 3, loss=1.0)
    assert [line["step"] for line in again.metrics()] == [1, 2, 3]
    assert again.total("loss") == 4.5
    assert again.last("continued") == {"loss": 1.0}


def test_a_torn_line_is_cut_off_and_logged_again(tmp_path):
    RunFolder(tmp_path).log("base", 1, loss=2.0)
    with (tmp_path / "metrics.jsonl").open("a") as stream:
        stream.write('{"phase": "base", "ste')
    again = RunFolder(tmp_path)
    again.log("base", 2, loss=1.0)
    assert [json.loads(line)["step"] for line in (tmp_path / "metrics.jsonl").read_text().splitlines()] == [
        1,
        2,
    ]


def test_a_corrupt_line_is_a_clear_error(tmp_path):
    (tmp_path / "metrics.jsonl").write_text("not json\n")
    with pytest.raises(UserError, match=r"metrics.jsonl:1: corrupt line"):
        RunFolder(tmp_path).log("base", 1, loss=2.0)


def test_a_reader_leaves_a_line_alone_that_another_process_is_writing(tmp_path):
    RunFolder(tmp_path).log("base", 1, loss=2.0)
    with (tmp_path / "metrics.jsonl").open("a") as stream:
        stream.write('{"phase": "base", "ste')
    before = (tmp_path / "metrics.jsonl").read_bytes()
    assert RunFolder(tmp_path).total("loss") == 2.0
    assert (tmp_path / "metrics.jsonl").read_bytes() == before


def test_a_run_is_done_when_done_json_is_there(tmp_path):
    run = RunFolder(tmp_path)
    assert not run.done
    run.finish({"drawn": 3})
    assert run.done and run.result() == {"drawn": 3}


def test_the_first_description_stays(tmp_path):
    RunFolder(tmp_path).describe({"a": 1}, [{"stage": "run"}], {"commit": "x"})
    RunFolder(tmp_path).describe({"a": 1}, [{"stage": "run"}], {"commit": "y"})
    assert read_json(tmp_path / "environment.json") == {"commit": "x"}
    assert read_json(tmp_path / "links.json") == [{"stage": "run"}]


@pytest.mark.parametrize("damage", ["", "[", "[]", '{"a": 2}', '{"a": []}', "\ud800", "[" * 100_000])
def test_a_damaged_description_is_written_again(tmp_path, damage):
    folder = RunFolder(tmp_path)
    folder.describe({"a": 1, "measures": ["x"]}, [{"stage": "run"}], {"commit": "x"})
    (tmp_path / "spec.json").write_bytes(damage.encode("utf-8", "surrogatepass"))
    (tmp_path / "links.json").unlink()
    (tmp_path / "links.json").symlink_to(tmp_path / "links.json")
    folder.describe({"a": 1, "measures": ["x", "y"]}, [{"stage": "run"}], {"commit": "x"})
    assert read_json(tmp_path / "spec.json") == {"a": 1, "measures": ["x", "y"]}
    assert read_json(tmp_path / "links.json") == [{"stage": "run"}]
    folder.describe({"a": 1, "measures": ["z"]}, [{"stage": "run"}], {"commit": "x"})
    assert read_json(tmp_path / "spec.json")["measures"] == ["x", "y"]


def test_hashes_do_not_depend_on_the_order_of_keys():
    assert content_hash({"a": 1, "b": [1, 2]}) == content_hash({"b": [1, 2], "a": 1})
    assert content_hash({"a": 1}) != content_hash({"a": 2})
    assert canonical_json({"é": 1.0}) == '{"é":1.0}'


def test_a_failed_write_leaves_the_old_file(tmp_path):
    write_json(tmp_path / "x.json", {"a": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "x.json", {"a": float("nan")})
    assert read_json(tmp_path / "x.json") == {"a": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]


def test_missing_and_corrupt_files_are_clear_errors(tmp_path):
    with pytest.raises(UserError, match="missing"):
        read_json(tmp_path / "x.json")
    (tmp_path / "x.json").write_text("{torn")
    with pytest.raises(UserError, match="corrupt file"):
        read_json(tmp_path / "x.json")
