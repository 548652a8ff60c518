"""Whether a package that the image installs provides a module.

Takes a layout and a dotted module. What is declared tells what is there; what is not is missing only where a lock file
names all that is installed, and the module's distribution is known.
"""

from functools import cached_property

from shared.proof.claims.claim import FoundModule, ModuleKind
from shared.proof.claims.importing.image_layout import ImageLayout
from shared.proof.claims.packages.distribution_modules import list_known_distributions, list_provided_modules
from shared.proof.claims.packages.installed_distributions import InstalledDistributions, read_installed
from shared.proof.loading.module_providers import normalize_name


class InstalledModules:
    """Answers for one layout; its manifests are read with the first question."""

    def __init__(self, layout: ImageLayout, python: str) -> None:
        self._layout = layout
        self._python = python

    @cached_property
    def _installed(self) -> InstalledDistributions:
        return read_installed(self._layout, self._python)

    def find(self, module: str) -> FoundModule:
        """`OUTSIDE`, `MISSING` or `UNKNOWN`, with the reason."""
        installed = self._installed
        for name, path in installed.certain.items():
            for provided in list_provided_modules(name):
                if provided == module or provided.startswith(module + "."):
                    return FoundModule(ModuleKind.OUTSIDE, reason=f"{path} declares {name}, which provides {provided}")
                if module.startswith(provided + "."):
                    return FoundModule(
                        ModuleKind.UNKNOWN, reason=f"which modules {provided} has depends on the version of {name}"
                    )
        top = module.partition(".")[0]
        for name, path in installed.possible.items():
            if any(provided.partition(".")[0] == top for provided in list_provided_modules(name)):
                return FoundModule(ModuleKind.UNKNOWN, reason=f"whether {path} installs {name} is not plain")
        return self._describe_undeclared(module, installed)

    def _describe_undeclared(self, module: str, installed: InstalledDistributions) -> FoundModule:
        providers = list_known_distributions(module)
        if not installed.gaps and installed.certain and providers:
            manifest = next(iter(installed.certain.values()))
            reason = f"{manifest} installs no distribution that provides {module}: not {' nor '.join(providers)}"
            return FoundModule(ModuleKind.MISSING, reason=reason)
        names = " or ".join(dict.fromkeys((*providers, normalize_name(module.partition(".")[0]))))
        return FoundModule(
            ModuleKind.UNKNOWN, reason=f"nothing declares {names}, but what is installed may bring {module}"
        )
