"""Every video and sound of the open corpus that must be accepted is rendered, proven, and plays elsewhere."""

from pathlib import Path

from smmu.domain.plan import Role
from tests.support import clips
from tests.support.corpus import CorpusFile, each_corpus_file

PLAYABLE = {Role.HLS, Role.MP4, Role.AUDIO, Role.POSTER}


def is_acceptable(file: CorpusFile) -> bool:
    return file.expected["should_accept"] == "accept" and file.expected["kind"] in {"video", "audio"}


@each_corpus_file(where=is_acceptable)
def test_an_acceptable_file_renders_as_planned(corpus_file: CorpusFile, tmp_path: Path) -> None:
    made = clips.render(corpus_file.path, tmp_path)
    assert clips.failures(made) == []
    for name, rendition in made.renditions.items():
        if rendition.role in PLAYABLE:
            assert clips.plays(made.path(name)) == "", name
    seconds = corpus_file.number("duration_packets_s")
    longest = max(rendition.duration_s or 0.0 for rendition in made.renditions.values())
    if seconds is not None and seconds > 1:
        assert abs(longest - seconds) < max(1.0, 0.2 * seconds)
