"""`smmu models` against a hub on this machine that answers as the real one does, or does not."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from tests.cli.conftest import Smmu
from tests.support.listening import listening

REPOSITORY, COMMIT = "Systran/faster-whisper-tiny", "a" * 40


@dataclass
class Hub:
    """A hub with one repository. `files` is what is served, `listed` what the index says of it."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    listed: list[dict[str, object]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def answer(self, path: str) -> bytes | None:
        self.asked.append(path)
        if path == f"/api/models/{REPOSITORY}":
            return json.dumps({"sha": COMMIT}).encode()
        if path == f"/api/models/{REPOSITORY}/tree/{COMMIT}":
            return json.dumps(self.listed).encode()
        return self.files.get(path.removeprefix(f"/{REPOSITORY}/resolve/{COMMIT}/"))


@pytest.fixture
def hub() -> Iterator[Hub]:
    found = Hub(
        files={"model.bin": b"w" * 3_000_000, "config.json": b"{}", "tokenizer.json": b"[]", "README.md": b"no"}
    )
    found.listed = [listed(name, body) for name, body in found.files.items()]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = found.answer(self.path)
            self.send_response(404 if body is None else 200)
            self.send_header("content-length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

    with listening(Handler) as found.url:
        yield found


def listed(name: str, body: bytes) -> dict[str, object]:
    """As the hub's index says it: SHA-256 of what is kept apart, Git's SHA-1 of the rest."""
    git = hashlib.sha1(b"blob %d\0" % len(body) + body, usedforsecurity=False).hexdigest()
    large = {"lfs": {"oid": hashlib.sha256(body).hexdigest()}} if name == "model.bin" else {}
    return {"type": "file", "path": name, "size": len(body), "oid": git, **large}


def test_a_model_is_fetched_whole_and_told_of(smmu: Smmu, hub: Hub, tmp_path: Path) -> None:
    models = str(tmp_path / "models")
    done = smmu("models", "fetch", "tiny", "--from", hub.url, SMMU_SPEECH__MODELS=models)
    folder = tmp_path / "models" / "tiny"
    assert (done.status, done.out) == (0, f"{folder}\n")
    there = {path.name for path in folder.iterdir()}
    assert there == {"model.bin", "config.json", "tokenizer.json", "model.json"}
    record = json.loads((folder / "model.json").read_text())
    assert (record["repository"], record["commit"]) == (REPOSITORY, COMMIT)
    assert record["files"]["model.bin"] == hashlib.sha256(hub.files["model.bin"]).hexdigest()
    assert "here" in next(line for line in smmu("models", "list").out.splitlines() if line.startswith("tiny"))


def test_a_model_that_is_there_is_not_fetched_again(smmu: Smmu, hub: Hub, tmp_path: Path) -> None:
    models = str(tmp_path / "models")
    smmu("models", "fetch", "tiny", "--from", hub.url, SMMU_SPEECH__MODELS=models)
    before = len(hub.asked)
    assert smmu("models", "fetch", "tiny", "--from", hub.url).status == 0
    assert len(hub.asked) == before


@pytest.mark.parametrize("name", ["model.bin", "config.json"])
@pytest.mark.parametrize("change", [b"", b"longer"])
def test_a_file_that_is_not_what_the_index_says_leaves_nothing(
    smmu: Smmu, hub: Hub, tmp_path: Path, name: str, change: bytes
) -> None:
    hub.files[name] = b"x" * len(hub.files[name]) + change
    done = smmu("models", "fetch", "tiny", "--from", hub.url, SMMU_SPEECH__MODELS=str(tmp_path / "models"))
    assert done.status == 3
    assert done.err.splitlines()[-1] == f"smmu: {name} is not what its index says: try again."
    assert list((tmp_path / "models").iterdir()) == []


def test_an_index_without_weights_is_no_model(smmu: Smmu, hub: Hub, tmp_path: Path) -> None:
    hub.listed = [entry for entry in hub.listed if entry["path"] != "model.bin"]
    done = smmu("models", "fetch", "tiny", "--from", hub.url, SMMU_SPEECH__MODELS=str(tmp_path / "models"))
    assert (done.status, "has no model.bin" in done.err) == (3, True)


def test_a_hub_that_has_it_not_is_told(smmu: Smmu, hub: Hub, tmp_path: Path) -> None:
    done = smmu("models", "fetch", "base", "--from", hub.url, SMMU_SPEECH__MODELS=str(tmp_path / "models"))
    assert (done.status, "it answered 404" in done.err) == (3, True)


def test_a_size_that_is_none_is_refused_with_those_that_are(smmu: Smmu) -> None:
    done = smmu("models", "fetch", "huge")
    assert (done.status, done.err) == (
        1,
        "smmu: There is no model huge: there are tiny, base, small, medium, large-v3.\n",
    )


def test_a_list_for_programs(smmu: Smmu, tmp_path: Path) -> None:
    answer = json.loads(smmu("models", "list", "--json", SMMU_SPEECH__MODELS=str(tmp_path)).out)
    assert answer["folder"] == str(tmp_path)
    assert {"name": "small", "megabytes": 486, "here": False} in answer["models"]


def test_a_deployment_without_a_bucket_for_models_is_told_before_anything_is_fetched(smmu: Smmu, hub: Hub) -> None:
    done = smmu("models", "fetch", "tiny", "--deploy", "--from", hub.url, SMMU_PLATFORM__KIND="inmemory")
    assert (done.status, hub.asked) == (1, [])
    assert done.err == (
        "smmu: These settings name no bucket for models: SMMU_PLATFORM__MODELS_BUCKET does, on the platform aws.\n"
    )
