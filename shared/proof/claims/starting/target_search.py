"""Looks a start target up in one image: found, missing or unknown, with the reason and the place that is responsible.

Python's own rules decide, with the folders that the program searches. Missing is what no file of the repository, no
instruction of the build and no package can bring; for packages the log of another commit may be the witness.
"""

import posixpath
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from shared.proof.claims.claim import ClaimState, FoundModule, ModuleKind
from shared.proof.claims.importing.bindings import BindingState, find_binding
from shared.proof.claims.importing.image_layout import TracedFiles
from shared.proof.claims.importing.module_search import ModuleSearch
from shared.proof.claims.packages.installed_distributions import InstalledDistributions, read_installed
from shared.proof.claims.ports import ImagePython
from shared.proof.claims.service_modules import InstalledModules
from shared.proof.claims.starting.start_image import StartImage, list_unclear_commands
from shared.proof.claims.starting.start_targets import PYTHON_FILE, PYTHON_MODULE, StartTarget
from shared.proof.loading.build_effects import find_bringing
from shared.proof.loading.commit_tree import RecordingTree
from shared.proof.loading.image_contents import AbsenceReason, ImageContents, Presence, is_plain_image
from shared.proof.loading.module_providers import VanishedModule, find_provider, is_made_by_build
from shared.proof.loading.servers import get_option

_CONFIGURING = ("chdir", "pythonpath", "wsgi_app", "raw_env", "sys.path", "sys import", "import_module", "addsitedir")
"""Words of a configuration of gunicorn that may change what it loads, or from where."""


@dataclass(frozen=True, slots=True)
class StartWitness:
    """What the image of the log was made of: what it lacked, none of this brings."""

    installed: InstalledDistributions
    base_image: str
    commands: frozenset[str]
    """Those of the build that may make files."""
    is_baseline: bool = False
    """Whether no log shows that anything is missing: then no distribution may be called like the module."""


def read_witness(image: StartImage, python: str, *, is_baseline: bool = False) -> StartWitness | None:
    """Of the image at the commit of the log; None where it starts nothing that is known.

    `is_baseline`: of a commit that starts; that shows nothing of what its base image and its commands bring.
    """
    if not image.targets:
        return None
    installed = read_installed(image.lay_out(image.targets[0]), python)
    if is_baseline:
        return StartWitness(installed, "", frozenset(), is_baseline=True)
    commands = frozenset(step.text for step in list_unclear_commands(image.stages))
    return StartWitness(installed, image.stages[-1].image, commands)


@dataclass(frozen=True, slots=True)
class TargetState:
    """The answer for one target; `HOLDS`: it is found, `FAILS`: it is missing.

    `path` and `line` of the repository: the found file, and where it binds the name (0 where none is asked for).
    `lacks_name`: the module is there, and the name in it is not.
    """

    state: ClaimState
    reason: str
    path: str = ""
    line: int = 0
    absence: AbsenceReason | None = None
    lacks_name: bool = False
    is_foreign: bool = False
    """Whether it is a module of Python itself: that start loads no application."""


@dataclass(frozen=True, slots=True)
class LinkedTree:
    """A commit's files, and at which of its paths links are."""

    tree: RecordingTree
    is_link: Callable[[str], bool]

    def has_link(self, path: str) -> bool:
        """Whether a link is at a path, or in the place of a folder above it."""
        parts = path.split("/")
        return any(self.is_link("/".join(parts[:depth])) for depth in range(1, len(parts) + 1))


class TargetSearch:
    """Answers for one image. `witness`: what the image installs at the commit of the log, where there is one."""

    def __init__(self, image: StartImage, python: str, tree: LinkedTree, witness: StartWitness | None = None) -> None:
        self._image = image
        self._python = python
        self._tree = tree
        self._witness = witness
        self._contents = ImageContents(image.files, image.dockerfile, ())

    def find(self, target: StartTarget) -> TargetState:
        """Whether the image has what a start asks for."""
        if doubt := self._find_configuration(target) or self._find_absent_folder(target):
            return TargetState(ClaimState.UNKNOWN, doubt)
        return self._find_file(target) if target.path else self._find_module(target)

    def _find_configuration(self, target: StartTarget) -> str:
        """Why something that is read before the target may change where it is looked for; "" where nothing does."""
        for path in target.start.optional_files:
            origin = self._image.files.locate(path)
            text = self._image.files.read_text(path) if origin else ""
            is_hook = posixpath.basename(path) in {"sitecustomize.py", "usercustomize.py"}
            if origin and (is_hook or any(word in text for word in _CONFIGURING)):
                return f"{origin} may change what is loaded"
        return ""

    def _find_module(self, target: StartTarget) -> TargetState:
        modules = _StartModules(self._image, target, self._python, self._tree, self._witness)
        module = modules.search.find_started(target.module)
        if target.program == PYTHON_MODULE and module.kind in {ModuleKind.PACKAGE, ModuleKind.NAMESPACE}:
            module = modules.search.find_started(f"{target.module}.__main__")
        if module.kind is ModuleKind.OUTSIDE and target.program == PYTHON_MODULE:
            return TargetState(ClaimState.HOLDS, f"{target.module} is not of the repository", is_foreign=True)
        if module.kind is ModuleKind.MISSING:
            return self._confirm_missing(target, module)
        if module.kind not in {ModuleKind.FILE, ModuleKind.PACKAGE}:
            return TargetState(ClaimState.UNKNOWN, module.reason or f"{target.module} is not a file of the repository")
        return self._confirm_found(target, module.path, modules)

    def _confirm_missing(self, target: StartTarget, module: FoundModule) -> TargetState:
        below = target.module.replace(".", "/")
        paths = [f"{root}/{below}{ending}" for root in target.roots for ending in (".py", "/__init__.py")]
        above = [f"{root}/{below.partition('/')[0]}/__init__.py" for root in target.roots]
        if doubt := self._find_doubt((*paths, *above)):
            return TargetState(ClaimState.UNKNOWN, f"{module.reason}, but {doubt}")
        return TargetState(ClaimState.FAILS, module.reason, absence=module.absence)

    def _find_absent_folder(self, target: StartTarget) -> str:
        """Why a start may not come to run where its command says: a `cd` into what is not there fails."""
        words = target.start.text.split()
        folders = target.start.roots
        if target.path:
            below = posixpath.normpath(words[1]) if target.program == PYTHON_FILE else posixpath.basename(target.path)
            folders = (target.path.removesuffix(f"/{below}") or "/",) if not below.startswith("/") else ()
        has_option = get_option(words, "--app-dir") or get_option(words, "--pythonpath")
        absent = (root for root in folders[1 if has_option else 0 :] if not self._has_folder(root))
        return next((f"nothing shows that the image has the folder {root}" for root in absent), "")

    def _has_folder(self, path: str) -> bool:
        """Whether a folder is in the image: copied, or made for the working directory."""
        is_made = f"{self._image.stages[-1].workdir}/".startswith(f"{path.rstrip('/')}/")
        return is_made or self._image.files.is_folder(path)

    def _confirm_found(self, target: StartTarget, path: str, modules: "_StartModules") -> TargetState:
        copies = self._image.files.image_paths(path)
        below = target.module.replace(".", "/")
        endings = (".py", "/__init__.py", "/__main__.py")
        expected = {f"{root.rstrip('/')}/{below}{ending}" for root in target.roots for ending in endings}
        if target.module and not expected.intersection(copies):
            return TargetState(ClaimState.UNKNOWN, f"{path} is found only where a build installs it")
        presence = self._contents.holds(path)
        if presence.state is Presence.UNKNOWN:
            return TargetState(ClaimState.UNKNOWN, presence.reason)
        if presence.state is Presence.ABSENT:
            return TargetState(ClaimState.FAILS, presence.reason, absence=presence.absence)
        if not target.name:
            return TargetState(ClaimState.HOLDS, f"{path} is in the image", path)
        return self._find_name(target, path, modules)

    def _find_name(self, target: StartTarget, path: str, modules: "_StartModules") -> TargetState:
        """The attribute of the module that the program takes."""
        binding = find_binding(modules, path, target.name)
        if binding.state is BindingState.UNKNOWN:
            return TargetState(ClaimState.UNKNOWN, binding.reason, path)
        if binding.state is BindingState.UNBOUND:
            submodule = modules.search.find_started(f"{target.module}.{target.name}") if target.module else None
            if path.endswith("/__init__.py") and submodule is not None and submodule.kind is not ModuleKind.MISSING:
                reason = f"{target.name} is a module, and whether anything imports it before is open"
                return TargetState(ClaimState.UNKNOWN, reason, path)
            return TargetState(ClaimState.FAILS, binding.reason, path, lacks_name=True)
        if target.has_more_names:
            return TargetState(
                ClaimState.UNKNOWN, f"what follows {target.name} in {target.text} is decided later", path
            )
        return TargetState(ClaimState.HOLDS, binding.reason, path, binding.line)

    def _find_file(self, target: StartTarget) -> TargetState:
        files = self._image.files
        origin = files.locate(target.path)
        if origin is not None:
            modules = _StartModules(self._image, target, self._python, self._tree, self._witness)
            return self._confirm_found(target, origin, modules)
        origins = files.list_origin_paths(target.path)
        if link := next((path for path in origins if self._tree.has_link(path)), ""):
            return TargetState(ClaimState.UNKNOWN, f"{link} is a link")
        if files.is_folder(target.path):
            return TargetState(ClaimState.UNKNOWN, f"{target.path} is a folder in the image")
        left_out = [path for path in origins if files.tree.blob(path) is not None]
        absence = self._contents.explain_absence(left_out[0]) if left_out else None
        if left_out and absence is None:
            return TargetState(ClaimState.UNKNOWN, self._contents.holds(left_out[0]).reason)
        if doubt := self._find_doubt((target.path,)):
            return TargetState(ClaimState.UNKNOWN, f"nothing of the repository is {target.path}, but {doubt}")
        reason = absence.sentence if absence is not None else f"nothing in the image is {target.path}"
        return TargetState(ClaimState.FAILS, reason, absence=absence)

    def _find_doubt(self, image_paths: Sequence[str]) -> str:
        """What may bring a file to one of some image paths beside plain copies; "" where nothing may."""
        stage = self._image.stages[-1]
        known = self._witness.base_image if self._witness is not None else ""
        if self._image.dockerfile and not is_plain_image(stage.image) and (not known or stage.image != known):
            return f"the base image {stage.image or 'of the build'} may have it"
        for step in list_unclear_commands(self._image.stages):
            if self._witness is None or step.text not in self._witness.commands:
                return f"{self._image.path} line {step.line} may make it"
        folders = tuple(dict.fromkeys(posixpath.dirname(path) for path in image_paths))
        for build in self._image.stages:
            counted = folders if build is stage else (*folders, build.workdir, *(copy.target for copy in build.copies))
            for path in image_paths:
                if bringing := find_bringing(build.opaque, counted, posixpath.basename(path)):
                    return f"{self._image.path} line {bringing.line} may bring it"
        origins = [origin for path in image_paths for origin in self._image.files.list_origin_paths(path)]
        made = (path for path in origins if is_made_by_build(self._tree.tree, self._image.dockerfile, path))
        return next((f"the build may make {path}" for path in made), "")


class _StartModules:
    """Answers `shared.proof.claims.ports.ServiceModules` for the start of one image."""

    def __init__(
        self,
        image: StartImage,
        target: StartTarget,
        python: str,
        tree: LinkedTree,
        witness: StartWitness | None,
    ) -> None:
        self._layout = image.lay_out(target)
        self._python = python
        self._linked = tree
        self._witness = witness

    @property
    def python(self) -> str:
        return self._python

    @property
    def image_python(self) -> ImagePython:
        return ImagePython(self._python)

    @property
    def tree(self) -> RecordingTree:
        return self._linked.tree

    @cached_property
    def search(self) -> ModuleSearch:
        """The import system of the image; no file of the service is known to run."""
        return ModuleSearch(
            self._layout, self._python, TracedFiles("", is_link=self._linked.is_link), self._find_outside
        )

    def find_module(self, importing_path: str, module: str, level: int = 0) -> FoundModule:
        """See `ServiceModules`."""
        return self.search.find_module(importing_path, module, level)

    def _find_outside(self, module: str) -> FoundModule:
        """A module of an installed package. What the log shows to be missing is not in what was installed then."""
        answer = InstalledModules(self._layout, self._python).find(module)
        if answer.kind is not ModuleKind.UNKNOWN or self._witness is None:
            return answer
        installed = read_installed(self._layout, self._python)
        names = installed.certain.keys() | installed.possible.keys()
        former = self._witness.installed
        known = former.certain.keys() | former.possible.keys()
        top = module.partition(".")[0]
        if names <= known and set(installed.gaps) <= set(former.gaps) and not self._may_be_installed(top):
            return FoundModule(ModuleKind.MISSING, reason=f"nothing in the image is the module {top}")
        return replace(answer, reason=f"what is installed may bring {module}")

    def _may_be_installed(self, name: str) -> bool:
        """Whether something that is declared may bring a module that the repository had as its own."""
        if self._witness is None or not self._witness.is_baseline:
            return False
        files, dockerfile = self._layout.files, self._layout.dockerfile
        module = VanishedModule(name, posixpath.join(files.context, f"{name}.py"))
        return find_provider(self.tree, dockerfile, module, is_top_level=True) is not None
