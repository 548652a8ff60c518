"""The table of distributions and modules, held against the distributions that are installed."""

from importlib.metadata import distributions
from importlib.util import find_spec

from shared.proof.claims.packages.distribution_modules import list_needed_distributions, list_provided_modules
from shared.proof.claims.packages.distribution_table import MODULES
from shared.proof.loading.module_providers import normalise_name


def _has_module(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ImportError:
        return False


def test_every_module_that_is_called_certain_can_be_found() -> None:
    installed = {normalise_name(found.metadata["Name"]) for found in distributions()}
    known = {name: list_provided_modules(name) for name in installed}
    wrong = [(name, module) for name, modules in known.items() for module in modules if not _has_module(module)]
    assert not wrong
    assert len(known) > 40


def test_every_need_that_is_called_certain_is_installed() -> None:
    installed = {normalise_name(found.metadata["Name"]) for found in distributions()}
    needs = {name: needed for name in installed for needed in list_needed_distributions(name)}
    assert needs
    assert set(needs.values()) <= installed


def test_every_line_of_the_table_is_a_normalised_name_with_modules_of_another_name() -> None:
    assert len(MODULES) > 250
    assert all(name == normalise_name(name) for name in MODULES)
    assert all(part.isidentifier() for modules in MODULES.values() for name in modules for part in name.split("."))
