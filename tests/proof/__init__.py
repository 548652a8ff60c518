"""The proof on real git repositories and real interpreters."""
