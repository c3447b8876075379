"""A film that is copied into its top rung, through the whole service: what the manifest says of it, and `smmu verify`."""

import json
from pathlib import Path

import pytest

from tests.support.clips import top_rung
from tests.support.served import smmu

pytestmark = pytest.mark.served


def test_a_copied_rung_is_told_of_in_the_manifest_and_holds_afterwards(tmp_path: Path) -> None:
    film = top_rung(tmp_path / "film.mp4", "-bf", "2", seconds=7)
    done = smmu("process", film, "--out", tmp_path / "out")
    assert done.status == 0, done.err
    manifest = json.loads((tmp_path / "out" / "film" / "manifest.json").read_bytes())
    (why,) = [one["reason"] for one in manifest["plan"]["decisions"] if one["choice"] == "copied"]
    assert why.startswith("it is already H.264 High")
    assert why.endswith("in closed groups of up to 2 s")
    rungs = {one["name"]: one["proof"] for one in manifest["renditions"] if one["role"] == "hls-video"}
    assert rungs["300p"]["measures"]["packets_copied"] == 70
    assert all(proof["ok"] for proof in rungs.values())
    assert manifest["source"]["video"]["groups"] == {"count": 4, "longest_s": 2.0, "closed": True}
    done = smmu("verify", tmp_path / "out" / "film")
    assert (done.status, done.err) == (0, "")
