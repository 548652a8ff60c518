"""What each class of causes means, why no commit is proposed, what would have caught it, and what is behind it.

One line each: the same for all incidents of a class, so that a reader who knows the class can skip them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.detection.causes.cause import CauseClass


@dataclass(frozen=True, slots=True)
class CauseAnswers:
    """Whole sentences."""

    meaning: str
    no_commit: str
    caught_by: str
    behind: str


_NOT_IN_A_COMMIT = "It is in no commit, so deploying another commit does not fix it."
_NOTHING_TESTED = "No commit was tested against this exception, so none is proven to fix it."

ANSWERS: Mapping[CauseClass, CauseAnswers] = {
    CauseClass.OWN_CODE: CauseAnswers(
        "Code of this service asks for a name, an attribute, a module or a call that is not there.",
        _NOTHING_TESTED,
        "A type checker, or a test that runs the failing line.",
        "The failing line was deployed without anything having run it or read it with its imports.",
    ),
    CauseClass.OWN_CODE_UNPROVABLE: CauseAnswers(
        "Code of this service met data or a state for which it has no answer.",
        "Only a run with the same data can show which commit handles it, so none is proven to fix it.",
        "A test with the data that was logged.",
        "The handler lets the exception end the connection instead of answering with an error.",
    ),
    CauseClass.DEPENDENCY: CauseAnswers(
        "An installed package is missing in the image, or is another version than the code expects.",
        "The image's packages are not in the repository's history, so no commit was tested against it.",
        "Importing the start file in the built image before it is deployed.",
        "The versions of packages are not pinned, or what is imported is not declared.",
    ),
    CauseClass.IMAGE: CauseAnswers(
        "The running image does not hold a file that the service opens.",
        "What the image holds was not compared for this file, so no commit is proven to fix it.",
        "Starting the built image before it is deployed.",
        "The repository and the image differ: ignore files, `COPY` lines or the start command leave the file out.",
    ),
    CauseClass.CONFIGURATION: CauseAnswers(
        "The revision lacks a setting or secret that the code requires.",
        _NOT_IN_A_COMMIT,
        "Comparing the required settings with the revision's variables before it takes traffic.",
        "Code and configuration are deployed apart from each other, and nothing compares them.",
    ),
    CauseClass.CREDENTIALS: CauseAnswers(
        "An identity, key or permission of this service was refused.",
        _NOT_IN_A_COMMIT,
        "A start-up check that uses each permission.",
        "Rights and keys change outside of the repository.",
    ),
    CauseClass.BACKING_SERVICE: CauseAnswers(
        "A backing service, such as a database, failed, refused or was not reached.",
        _NOT_IN_A_COMMIT,
        "An alert on the backing service's health and limits.",
        "The handler lets a failure of the backing service end the connection, without a retry.",
    ),
    CauseClass.UPSTREAM_CLOSED: CauseAnswers(
        "This service is the client of that connection: the other end closed first, and what failed is there.",
        "What failed is at the other end of the connection, so compiling commits of this service cannot prove a fix.",
        "An alert on the upstream's status, and a test in which the upstream closes.",
        "The service passes the upstream's close on to its own clients instead of connecting again.",
    ),
    CauseClass.KEEPALIVE: CauseAnswers(
        "A keepalive ping was not answered in time: the event loop was blocked, or the client or network was slow.",
        "That is not an error in a source file, so compiling commits cannot prove a fix.",
        "A load test that watches the delay of the event loop (`loop.slow_callback_duration`).",
        "Blocking calls run in the event loop, or the instance has too little CPU for its concurrency.",
    ),
    CauseClass.MEMORY: CauseAnswers(
        "The platform ended the instance because it used more memory than its limit, and with it all connections.",
        "A limit is a setting of the service; a leak is in no single line that a compiler could check.",
        "An alert on the memory of the instances.",
        "The memory limit does not fit the concurrency, or memory grows with each connection.",
    ),
    CauseClass.RESTART: CauseAnswers(
        "The instance was stopped or replaced, as at every deployment, and closed its connections.",
        "Nothing is broken that a commit could fix.",
        "Nothing: it is expected. Clients have to connect again.",
        "WebSockets do not survive the instance that holds them.",
    ),
    CauseClass.PAYLOAD: CauseAnswers(
        "A message was larger than the end that received it accepts.",
        "The limit is a setting, and the message came at run time: no commit is proven to fix it.",
        "A test with the largest message that is allowed.",
        "Neither end splits or limits what it sends.",
    ),
    CauseClass.CLOSED_CONNECTION: CauseAnswers(
        "The service used a connection that the client had left, or from several tasks at the same time.",
        "It depends on timing, so compiling commits cannot prove a fix.",
        "A test in which the client disconnects while the service still sends.",
        "The tasks of a connection are not ended together when it closes.",
    ),
    CauseClass.UNKNOWN: CauseAnswers(
        "The log does not say what failed.",
        "A close code names no file and no line, so there is nothing to compile.",
        "Unknown: what would have caught it depends on the cause.",
        "Unknown. Look in what was logged before it, at either end of the connection.",
    ),
}  # fmt: skip
