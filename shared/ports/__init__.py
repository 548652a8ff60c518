"""Protocols for all that is outside: what the steps may ask of a neighbour, in the domain's own words."""

from shared.ports.outside import (
    WRONG,
    Chat,
    CheckRuns,
    Deployer,
    Dialogs,
    IssueRef,
    Issues,
    IssueState,
    Logs,
    Probe,
    Revisions,
    Threads,
)
from shared.ports.proof import Compiler, Compilers, Explainer, History, LogSource
from shared.ports.state import Bus, Clock, Document, Ids, Store, Stored

__all__ = [
    "WRONG",
    "Bus",
    "Chat",
    "CheckRuns",
    "Clock",
    "Compiler",
    "Compilers",
    "Deployer",
    "Dialogs",
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
    "Threads",
]
