"""What is in a manifest, how it is written, and what keeps renditions from being one."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smmu.domain.facts import ImageFacts, Kind, MediaFacts
from smmu.domain.limits import Limits
from smmu.domain.manifest import (
    Check,
    Manifest,
    Proof,
    RenderedFile,
    Rendition,
    is_safe_path,
    plan_document,
    rendition_document,
    rendition_of,
    to_document,
    verify,
)
from smmu.domain.options import Options
from smmu.domain.plan import Plan, Role
from smmu.domain.planner import plan
from tests.support.strategies import FACTS, OPTIONS

HOLDS = Check(name="frames", ok=True, expected="30", measured="30")
FAILS = Check(name="keyframes", ok=False, expected="every 2 s", measured="missing at 4 s")
SHA = "0123456789abcdef" * 4


def file(path: str, **changed: Any) -> RenderedFile:
    return RenderedFile(**{"path": path, "size": 10, "sha256": SHA, "content_type": "image/webp", **changed})


def rendition(
    name: str = "poster", *files: RenderedFile, checks: tuple[Check, ...] = (HOLDS,), role: str = "poster"
) -> Rendition:
    proof = Proof(checks=checks, measures={"ssim": 0.99})
    return Rendition(name=name, role=role, files=files or (file(f"{name}/{name}.webp"),), proof=proof, width=320)


def fulfilled(made: Plan) -> tuple[Rendition, ...]:
    owed = [spec for stage in made.stages for task in stage.tasks for spec in task.renditions]
    return tuple(rendition(spec.name, role=spec.role) for spec in owed if spec.role is not Role.CHUNK)


def manifest(*renditions: Rendition) -> Manifest:
    return Manifest(
        revision=1,
        job_id="job_1",
        media_id="med_1",
        attempt=2,
        source={"filename": "é.mov", "size": 3},
        classification={"kind": "video"},
        plan={"decisions": []},
        renditions=renditions,
        timings={"render": 1.5},
        cost={"cpu_s": 2.0},
    )


# --- as a document


def test_a_manifest_is_a_json_document() -> None:
    document = to_document(manifest(rendition()))
    assert json.loads(json.dumps(document)) == document
    assert document == {
        "schema": "smmu.manifest/1",
        "revision": 1,
        "job_id": "job_1",
        "media_id": "med_1",
        "attempt": 2,
        "source": {"filename": "é.mov", "size": 3},
        "classification": {"kind": "video"},
        "plan": {"decisions": []},
        "renditions": [
            {
                "name": "poster",
                "role": "poster",
                "path": "poster/poster.webp",
                "content_type": "image/webp",
                "size": 10,
                "sha256": SHA,
                "width": 320,
                "proof": {
                    "ok": True,
                    "checks": [{"name": "frames", "ok": True, "expected": "30", "measured": "30"}],
                    "measures": {"ssim": 0.99},
                },
            }
        ],
        "timings": {"render": 1.5},
        "cost": {"cpu_s": 2.0},
    }


def test_a_rendition_of_several_files_lists_them_and_describes_the_first() -> None:
    made = rendition("hls", file("hls/main.m3u8", size=1), file("hls/seg-1.m4s", size=5))
    (document,) = to_document(manifest(made))["renditions"]
    assert (document["path"], document["size"], document["size_total"]) == ("hls/main.m3u8", 1, 6)
    assert [one["path"] for one in document["files"]] == ["hls/main.m3u8", "hls/seg-1.m4s"]
    assert made.size == 6


def test_a_proof_without_checks_proves_nothing() -> None:
    assert not Proof(checks=(), measures={}).ok
    assert Proof(checks=(HOLDS,), measures={}).ok
    assert not Proof(checks=(HOLDS, FAILS), measures={}).ok
    assert Proof(checks=(HOLDS, FAILS), measures={}).failures == (FAILS,)


# --- against its plan


@given(FACTS, OPTIONS)
def test_what_a_plan_owes_and_no_more_is_a_manifest(facts: MediaFacts, options: Options) -> None:
    made = plan(facts, options, Limits()).lasting
    assert verify(fulfilled(made), made) == ()
    assert verify(fulfilled(made)[1:], made) == (f"rendition {fulfilled(made)[0].name} is missing",)
    assert plan_document(made)["tasks"]


EMPTY = Plan(stages=())


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        (rendition(checks=()), "rendition poster has no proof"),
        (rendition(checks=(HOLDS, FAILS)), "rendition poster failed keyframes: missing at 4 s instead of every 2 s"),
        (replace(rendition(), files=()), "rendition poster has no file"),
        (rendition("poster", file("../poster.webp")), "rendition poster has an unsafe path '../poster.webp'"),
        (rendition("poster", file("a", size=0)), "rendition poster has an empty file 'a'"),
        (rendition("poster", file("a", sha256="x")), "rendition poster has no SHA-256 of 'a'"),
        (rendition("poster", file("a"), file("a", sha256="f" * 64)), "two different files are called 'a'"),
    ],
)
def test_a_rendition_that_is_wrong_in_itself_is_told(changed: Rendition, problem: str) -> None:
    assert verify((changed,), EMPTY) == ("rendition poster is not in the plan", problem)


def test_a_rendition_twice_or_in_another_role_is_told() -> None:
    made = _a_plan()
    done = fulfilled(made)
    assert verify((*done, done[0]), made) == (f"rendition {done[0].name} is there 2 times",)
    assert verify((replace(done[0], role="mp4"), *done[1:]), made) == (
        "rendition image-320-webp has the role mp4, not image",
    )


def test_renditions_may_share_a_file() -> None:
    playlist = rendition("hls", file("hls/main.m3u8"), file("hls/seg.m4s"), role="hls")
    rung = rendition("240p", file("hls/seg.m4s"), role="hls-video")
    assert verify((playlist, rung), EMPTY) == ("rendition hls is not in the plan", "rendition 240p is not in the plan")


@pytest.mark.parametrize("path", ["a", "a/b.m4s", "hls/240p/seg-00001.m4s", "_x", "A.B-c_d"])
def test_plain_relative_paths_are_safe(path: str) -> None:
    assert is_safe_path(path)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/a",
        "a//b",
        "a/",
        "..",
        "../a",
        "a/../b",
        ".",
        "a/./b",
        ".hidden",
        "a\\b",
        "C:a",
        "a b",
        "a\x00",
        "a\n",
        "é",
        "-rf",
        "http://x",
        "a/" * 300 + "a",
    ],
)
def test_other_paths_are_not(path: str) -> None:
    assert not is_safe_path(path)


@given(st.text(max_size=30))
def test_a_safe_path_stays_where_it_is(path: str) -> None:
    if is_safe_path(path):
        assert not {"", ".", ".."} & set(path.split("/"))


def _a_plan() -> Plan:
    facts = MediaFacts(
        kind=Kind.IMAGE,
        container="jpeg",
        content_type="image/jpeg",
        size_bytes=1,
        image=ImageFacts(width=400, height=300),
    )
    return plan(facts, Options(), Limits())


@given(FACTS, OPTIONS)
def test_a_rendition_is_read_as_it_was_written(found: MediaFacts, options: Options) -> None:
    for one in fulfilled(plan(found, options, Limits())):
        several = replace(one, files=(*one.files, file("b/c.m4s")), title="Été", purpose="commentary", duration_s=1.5)
        for written in (one, several):
            assert rendition_of(json.loads(json.dumps(rendition_document(written)))) == written
