"""What a proof of a picture catches: everything that could be wrong with a file that an encoder has written."""

from pathlib import Path

import pytest
import pyvips

from smmu.adapters.media.image_proof import prove, shown_by
from smmu.adapters.media.picture import P3, as_column, with_profile
from smmu.domain.facts import ImageFacts
from smmu.domain.manifest import Proof
from smmu.domain.plan import ImageSpec
from tests.support.media import gradient, still

pytestmark = pytest.mark.media

SAVERS = {"webp": "webpsave", "jpeg": "jpegsave", "avif": "heifsave"}
FORMATS = sorted(SAVERS)
FACTS = ImageFacts(width=400, height=300)


def pixels(width: int = 400, height: int = 300) -> pyvips.Image:
    image = pyvips.Image.new_from_memory(gradient(width, height).tobytes(), width, height, 3, "uchar")
    return image.copy(interpretation="srgb")


def written(path: Path, kind: str, image: pyvips.Image, keep: str = "none") -> Path:
    options = {"compression": "av1", "effort": 0} if kind == "avif" else {}
    getattr(image, SAVERS[kind])(str(path), keep=keep, **options)
    return path


def proof_of(path: Path, kind: str, facts: ImageFacts = FACTS, **changes: bool) -> Proof:
    spec: ImageSpec = still("picture", 400, 300, format=kind, **changes)
    return prove(str(path), spec, shown_by(pixels()), facts)


def failures(proof: Proof) -> set[str]:
    return {check.name for check in proof.failures}


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_as_it_should_be_is_proven(tmp_path: Path, kind: str) -> None:
    assert failures(proof_of(written(tmp_path / "picture", kind, pixels()), kind)) == set()


@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_that_ends_early_is_caught_wherever_it_ends(tmp_path: Path, kind: str, share: float) -> None:
    path = written(tmp_path / "picture", kind, pixels())
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    assert failures(proof_of(path, kind)) == {"decodes"}


@pytest.mark.parametrize("kind", FORMATS)
def test_another_picture_is_caught(tmp_path: Path, kind: str) -> None:
    assert "same picture" in failures(proof_of(written(tmp_path / "picture", kind, pixels().invert()), kind))
    assert "same picture" in failures(proof_of(written(tmp_path / "turned", kind, pixels().rot180()), kind))


@pytest.mark.parametrize("kind", FORMATS)
def test_another_size_is_caught(tmp_path: Path, kind: str) -> None:
    assert failures(proof_of(written(tmp_path / "picture", kind, pixels(400, 301)), kind)) == {"size"}


@pytest.mark.parametrize("kind", FORMATS)
def test_another_format_is_caught(tmp_path: Path, kind: str) -> None:
    other = FORMATS[FORMATS.index(kind) - 1]
    assert failures(proof_of(written(tmp_path / "picture", other, pixels()), kind)) == {"decodes"}


@pytest.mark.parametrize("kind", FORMATS)
def test_what_is_left_of_the_source_is_caught(tmp_path: Path, kind: str) -> None:
    marked = pixels().copy()
    marked.set_type(pyvips.GValue.blob_type, "xmp-data", b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>")
    assert failures(proof_of(written(tmp_path / "picture", kind, marked, keep="all"), kind)) == {"no metadata"}


@pytest.mark.parametrize("kind", FORMATS)
def test_a_profile_that_is_not_ours_is_caught(tmp_path: Path, kind: str) -> None:
    theirs = with_profile(pixels(), pyvips.Image.profile_load("srgb"))
    assert failures(proof_of(written(tmp_path / "theirs", kind, theirs, keep="icc"), kind)) == {"colours"}
    ours = written(tmp_path / "ours", kind, with_profile(pixels(), P3), keep="icc")
    assert failures(proof_of(ours, kind)) == {"colours"}
    spec = still("picture", 400, 300, format=kind, colours="p3")
    assert failures(prove(str(ours), spec, shown_by(pixels()), FACTS)) == set()


def test_an_animation_that_lasts_longer_is_caught(tmp_path: Path) -> None:
    frames = [pixels(), pixels().invert()]
    path = written(tmp_path / "picture", "webp", as_column(frames, [80, 80]))
    spec, facts = still("picture", 400, 300, animated=True), ImageFacts(width=400, height=300, frames=2)
    assert failures(prove(str(path), spec, shown_by(as_column(frames, [80, 80])), facts)) == set()
    assert failures(prove(str(path), spec, shown_by(as_column(frames, [80, 90])), facts)) == {"duration"}


def test_a_picture_on_its_side_is_caught(tmp_path: Path) -> None:
    path = written(tmp_path / "picture", "webp", pixels())
    assert failures(proof_of(path, "webp", ImageFacts(width=400, height=300, orientation=6))) == {"upright shape"}
