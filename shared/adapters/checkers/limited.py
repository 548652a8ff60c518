"""Runs inside a Python of its own: binds itself to limits, then becomes the program that it is asked for.

Started as `PYTHON -I -S limited.py MEMORY_BYTES FILE_BYTES PROGRAM ARGUMENTS…`; 0 stands for no limit.
"""

import os
import sys

try:
    import resource
except ImportError:  # not on every platform; there the limits are not to be had
    resource = None  # type: ignore[assignment]


def limit_resources(memory: int, file_size: int) -> None:
    """Bind this process: no core dump, so many bytes of address space, files of at most so many bytes."""
    if resource is None:
        return
    limits = [(resource.RLIMIT_CORE, 0)]
    limits += [(resource.RLIMIT_AS, memory)] if memory else []
    limits += [(resource.RLIMIT_FSIZE, file_size)] if file_size else []
    for which, most in limits:
        try:
            resource.setrlimit(which, (most, most))
        except (OSError, ValueError):
            continue  # a tighter limit is in force already, or the platform refuses this one


if __name__ == "__main__":
    limit_resources(int(sys.argv[1]), int(sys.argv[2]))
    os.execv(sys.argv[3], sys.argv[3:])  # noqa: S606  # a list of the caller's own, never a shell
