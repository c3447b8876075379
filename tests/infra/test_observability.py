"""Alarms, dashboard and runbook say the same, and speak of numbers that there are."""

import re

from smmu.adapters.aws.metrics import DEPLOYMENT, NAMESPACE
from smmu.domain.happenings import HAPPENINGS
from tests.support import terraform
from tests.support.infra import alarms
from tests.support.source import PROJECT

MODULE = terraform.INFRA / "modules" / "observability"
ALARMS, DASHBOARD = ((MODULE / name).read_text(encoding="utf-8") for name in ("alarms.tf", "dashboard.tf"))
RUNBOOK = (PROJECT / "docs" / "operations.md").read_text(encoding="utf-8")

# What AWS's services tell by themselves, as far as it is used (the CloudWatch chapters of their guides).
OF_AWS = {
    "AWS/SQS": {"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"},
    "AWS/Lambda": {"Errors", "Throttles", "IteratorAge"},
    "AWS/States": {
        *("ExecutionsStarted", "ExecutionsSucceeded", "ExecutionsFailed", "ExecutionsTimedOut"),
        "ExecutionThrottled",
    },
    "AWS/ApplicationELB": {
        *("RequestCount", "TargetResponseTime", "HealthyHostCount", "UnHealthyHostCount"),
        *("HTTPCode_Target_4XX_Count", "HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count"),
    },
    "ECS/ContainerInsights": {"TaskCount"},
}
OURS = {metric.name: kind.by for kind in HAPPENINGS.values() for metric in kind.metrics}


def metrics() -> set[tuple[str, str]]:
    """Every metric that an alarm or the dashboard names, with its namespace."""
    of_alarms = re.findall(r'namespace\s*= "([\w/]+)", metric = "(\w+)"', ALARMS)
    of_rates = re.findall(r'namespace\s*= "([\w/]+)"\n\s*metric_name\s*= "(\w+)"', ALARMS)
    of_graphs = re.findall(r'\["([A-Z][\w/]+)", "(\w+)",', DASHBOARD)
    assert min(len(of_alarms), len(of_rates), len(of_graphs)) > 0
    return {*of_alarms, *of_rates, *of_graphs}


def test_alarms_are_found() -> None:
    assert {"dead-letters", "no-sweep", "failure-rate", "spend", "relay-errors", "collect-throttled"} <= alarms()


def test_there_is_an_alarm_for_everything_that_somebody_must_hear_of() -> None:
    assert {
        *("dead-letters", "oldest-message", "no-sweep", "failure-rate", "stuck-records", "orphan-bytes"),
        *("api-errors", "api-slow", "spend"),
    } <= alarms()


def test_every_alarm_has_a_section_of_the_runbook_and_every_section_an_alarm() -> None:
    sections = re.findall(r"^## ([a-z]+(?:-[a-z]+)*)$", RUNBOOK, re.MULTILINE)
    assert set(sections) ^ alarms() == set()
    for section in re.split(r"^## ", RUNBOOK, flags=re.MULTILINE)[1:]:
        if section.split("\n", 1)[0] in alarms():
            assert "**Means**" in section, section
            assert re.search(r"\*\*Look\*\*", section), section
            assert re.search(r"\*\*[Dd]o\*\*", section), section


def test_links_of_the_runbook_lead_somewhere() -> None:
    headings = {heading.lower().replace(" ", "-") for heading in re.findall(r"^#+ (.*)$", RUNBOOK, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([\w-]+)\)", RUNBOOK)) - headings == set()


def test_every_metric_that_is_named_is_one_that_somebody_tells() -> None:
    told = {(namespace, name) for namespace, names in OF_AWS.items() for name in names}
    told |= {(NAMESPACE, name) for name in OURS}
    assert metrics() - told == set()


def test_every_metric_of_ours_is_to_be_seen() -> None:
    assert {(NAMESPACE, name) for name in OURS} - metrics() == set()


def test_graphs_divide_metrics_of_ours_by_what_they_are_divided_by() -> None:
    lines = re.findall(r'\["SMMU", "(\w+)", (.*?), \{', DASHBOARD)
    assert len(lines) > 20
    for name, dimensions in lines:
        keys = [word.strip().strip('"') for word in dimensions.split(",")][::2]
        assert keys in ([DEPLOYMENT], [DEPLOYMENT, *OURS[name]]), name


def test_what_silence_means_is_decided_for_each_alarm() -> None:
    bad = re.findall(r'^    ([a-z-]+) = \{(?:(?!^    \}).)*silence = "breaching"', ALARMS, re.MULTILINE | re.DOTALL)
    assert bad == ["no-sweep", "api-gone"]


def test_one_job_is_one_query_in_both_places() -> None:
    saved = re.search(r'"one_job" \{.*?<<-QUERY\n(.*?)\n  QUERY', DASHBOARD, re.DOTALL)
    assert saved is not None
    query = "\n".join(line.strip() for line in saved[1].splitlines())
    assert f"```\n{query}\n```" in RUNBOOK
