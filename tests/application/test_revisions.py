"""What a later revision stands on: the facts that a media keeps."""

from hypothesis import given

from smmu.application.documents import adapter
from smmu.application.revisions import facts_of
from smmu.domain.facts import MediaFacts
from smmu.domain.media import Media
from smmu.domain.values import ObjectRef
from tests.support.strategies import FACTS

SOURCE = ObjectRef(key="raw/ada/upl_1/source", version="1", etag="e", size=3)


@given(FACTS)
def test_facts_are_found_again_as_inspection_has_found_them(found: MediaFacts) -> None:
    kept = {"filename": "é.mov", "size": 3, "sha256": "0" * 64, **adapter(MediaFacts).dump_python(found, mode="json")}
    known = Media(
        id="med_1",
        owner="ada",
        upload_id="upl_1",
        job_id="job_1",
        filename="é.mov",
        content_type="video/mp4",
        source=SOURCE,
        metadata={},
        created_at=0.0,
        updated_at=0.0,
        bytes_stored=3,
        facts=kept,
    )
    assert facts_of(known) == found
