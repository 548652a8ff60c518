"""terraform/README.md and the examples say what is so."""

import re
import subprocess

import yaml

from shared.adapters.google.cloud_run_revisions import BUILD_LABEL, COMMIT_LABELS
from shared.config.loader import parse_configuration
from shared.filters.rendering import Sink, render_sink_filter
from tests.support.deploy.costs import BLOCK, README, cost_rows, cost_table
from tests.support.deploy.deployment import ONE_SERVICE, PROJECT
from tests.support.deploy.terraform import CONFIGURATION, TerraformFolder, terraform_program
from tests.support.logging_query import matches

_LABELS = re.compile(r'--labels="([^"]+)"')


def test_the_costs_are_what_their_arithmetic_gives() -> None:
    found = BLOCK.search(README.read_text("utf-8"))
    assert found is not None
    assert found[0] == found[1] + cost_table() + found[2], "python -m tests.support.deploy.costs"
    for line in cost_rows():
        assert list(line.dollars) == sorted(line.dollars), line.what  # more incidents are never cheaper


def test_every_linked_file_is_there_and_every_file_is_linked() -> None:
    links = set(re.findall(r"\]\((?!http)([^)#]+)\)", README.read_text("utf-8")))
    assert [link for link in links if not (CONFIGURATION / link).exists()] == []
    entities = {file.name for file in CONFIGURATION.glob("*.tf")} - {
        "apis.tf",
        "outputs.tf",
        "variables.tf",
        "versions.tf",
    }
    assert entities <= links


def test_every_variable_and_output_that_is_named_exists(one: TerraformFolder) -> None:
    text = README.read_text("utf-8")
    declared = set(re.findall(r'^variable "(\w+)"', (CONFIGURATION / "variables.tf").read_text("utf-8"), re.M))
    named = set(re.findall(r"-var (\w+)=", text)) | set(re.findall(r"^   (\w+) += ", text, re.M))
    assert named
    assert named <= declared
    outputs = set(re.findall(r"terraform output (?:-raw )?(\w+)", text))
    assert outputs
    assert outputs <= set(one.show_json()["values"]["outputs"])


def test_the_entry_to_try_with_passes_the_sink_of_its_service() -> None:
    """As the command in the README writes it."""
    text = README.read_text("utf-8")
    (told,) = re.findall(r"--monitored-resource-labels=(\S+) ", text)
    (line,) = re.findall(r"'(SyntaxError: [^']+)'", text)
    labels = dict(each.split("=") for each in told.split(","))
    entry = {
        "logName": "projects/shop-prod/logs/provenfix-test",
        "severity": "ERROR",
        "resource": {"type": "cloud_run_revision", "labels": labels},
        "textPayload": line,
    }
    (service,) = (each.service for each in parse_configuration(ONE_SERVICE).services)
    assert matches(render_sink_filter(Sink.SIGNALS, [service], PROJECT, ["provenfix-record"]), entry)
    assert not matches(render_sink_filter(Sink.REVISIONS, [service], PROJECT, ["provenfix-record"]), entry)


def test_the_examples_label_a_revision_with_what_is_read_from_it() -> None:
    """In words that the adapters know, by digest, and in YAML that parses."""
    for name in ("cloudbuild.yaml", "github-actions.yaml"):
        text = (CONFIGURATION / "examples" / name).read_text("utf-8")
        assert yaml.safe_load(text)
        (labels,) = _LABELS.findall(text)
        given = {each.partition("=")[0] for each in labels.split(",")}
        assert given & set(COMMIT_LABELS)
        assert given <= {*COMMIT_LABELS, BUILD_LABEL}
        assert re.search(r'--image="\$_?IMAGE@', text)


def test_the_example_of_a_backend_has_terraforms_form() -> None:
    example = (CONFIGURATION / "examples/backend.tf").read_bytes()
    done = subprocess.run([terraform_program(), "fmt", "-check", "-"], input=example,
                          capture_output=True, check=False, timeout=60)  # fmt: skip
    assert done.returncode == 0
