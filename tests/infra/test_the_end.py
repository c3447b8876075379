"""All that was made can be destroyed. It comes last by its name, and ends what the other tests here look at."""

from tests.infra.conftest import NEEDS_TERRAFORM, Made

pytestmark = NEEDS_TERRAFORM


def test_at_last_all_of_it_can_be_destroyed(made: Made) -> None:
    seconds = made.destroy()
    print(f"destroyed in {seconds:.0f} s")  # noqa: T201 - seen with `pytest -rP`
    assert made.workspace.made() == []
    assert not [name for name in made.client("dynamodb").list_tables()["TableNames"] if name.startswith("smmu-dev-")]
    assert not [one for one in made.client("s3").list_buckets()["Buckets"] if one["Name"].startswith("smmu-dev-")]
    assert "QueueUrls" not in made.client("sqs").list_queues(QueueNamePrefix="smmu-dev-")
