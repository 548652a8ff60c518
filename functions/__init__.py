"""Entry points: each verifies, parses, calls one step, answers."""

import shared  # noqa: F401  # from here on, modules run when they are first used
