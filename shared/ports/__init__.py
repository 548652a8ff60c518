"""Protocols for all that is outside: what the steps may ask of a neighbour, in the domain's own words."""

from shared.ports.outside import (
    BY_HAND,
    WRONG,
    Chat,
    CheckRuns,
    Deployer,
    IssueRef,
    Issues,
    IssueState,
    Logs,
    Probe,
    Revisions,
)
from shared.ports.proof import Compiler, Compilers, Explainer, History, LogSource
from shared.ports.state import Bus, Clock, Document, Ids, Store, Stored

__all__ = [
    "BY_HAND",
    "WRONG",
    "Bus",
    "Chat",
    "CheckRuns",
    "Clock",
    "Compiler",
    "Compilers",
    "Deployer",
    "Document",
    "Explainer",
    "History",
    "Ids",
    "IssueRef",
    "IssueState",
    "Issues",
    "LogSource",
    "Logs",
    "Probe",
    "Revisions",
    "Store",
    "Stored",
]
