"""A call of one of Google's APIs that failed comes in; the error that says whether to try again goes out.

No call is repeated here: messages are delivered again, and an effect must not happen twice.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from shared.errors import Reject, Retry

TIMEOUT_SECONDS = 20.0
"""How long an answer is waited for."""


@contextmanager
def translate_errors(action: str) -> Iterator[None]:
    """Raises Retry, or Reject with `stale`, `denied`, `not_found` or `invalid`. `what` begins the sentence."""
    from google.api_core import exceptions as api  # noqa: PLC0415
    from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415

    try:
        yield
    except (api.Aborted, api.FailedPrecondition, api.AlreadyExists) as error:
        raise Reject("stale", f"{action}: {error.message}") from error
    except (api.PermissionDenied, api.Unauthenticated) as error:
        raise Reject("denied", f"{action}: grant the function's account the role it needs ({error.message})") from error
    except api.NotFound as error:
        raise Reject("not_found", f"{action}: {error.message}") from error
    except (api.InvalidArgument, api.OutOfRange, api.MethodNotImplemented) as error:
        raise Reject("invalid", f"{action}: {error.message}") from error
    except (api.GoogleAPICallError, api.RetryError, GoogleAuthError) as error:
        raise Retry(f"{action}: {type(error).__name__}") from error
