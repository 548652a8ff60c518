"""Counts every remote call of a process, and lets one of them go wrong: a plan in, proxied ports out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from shared.errors import Retry


class Fault(StrEnum):
    """What goes wrong with one call."""

    NONE = "ok"
    BEFORE = "fails before it is done"
    ANSWER_LOST = "done, but the answer is lost"
    PROCESS_DIES = "done, and the process dies right after"


class ProcessDied(BaseException):
    """The process is gone: no handler of the product's code may run any more."""


@dataclass
class FaultPlan:
    """At the call numbered `at`, counted over all processes of a run: `fault`, and what another process does then."""

    at: int = -1
    fault: Fault = Fault.NONE
    meanwhile_before: Callable[[], object] | None = None
    meanwhile_after: Callable[[], object] | None = None
    calls: list[str] = field(default_factory=list)
    """Every call so far, as `issues.open`."""

    def tap(self) -> Callable[[str, object], object]:
        """For one process: when it dies, it never calls anything again."""
        process = _Process()
        return lambda name, port: _Proxy(self, process, name, port)


@dataclass
class _Process:
    dead: bool = False


class _Proxy:
    """Stands before a port (or a plain function) and passes its calls on."""

    def __init__(self, plan: FaultPlan, process: _Process, name: str, port: object) -> None:
        self._plan, self._process, self._name, self._port = plan, process, name, port

    def __getattr__(self, method: str) -> Callable[..., object]:
        return self._forward(f"{self._name}.{method}", getattr(self._port, method))

    def __call__(self, *given: object) -> object:
        assert callable(self._port)
        return self._forward(self._name, self._port)(*given)

    def _forward(self, name: str, function: Callable[..., object]) -> Callable[..., object]:
        def call(*given: object, **named: object) -> object:
            if self._process.dead:
                raise AssertionError(f"{name}: called by a process that has died")
            plan, number = self._plan, len(self._plan.calls)
            plan.calls.append(name)
            if number != plan.at:
                return function(*given, **named)
            return self._strike(plan, function, given, named)

        return call

    def _strike(
        self, plan: FaultPlan, function: Callable[..., object], given: tuple[object, ...], named: dict[str, object]
    ) -> object:
        if plan.meanwhile_before is not None:
            plan.meanwhile_before()
        if plan.fault is Fault.BEFORE:
            raise Retry("injected: it was not done")
        result = function(*given, **named)
        if plan.meanwhile_after is not None:
            plan.meanwhile_after()
        if plan.fault is Fault.ANSWER_LOST:
            raise Retry("injected: it was done, and the answer was lost")
        if plan.fault is Fault.PROCESS_DIES:
            self._process.dead = True
            raise ProcessDied
        return result
