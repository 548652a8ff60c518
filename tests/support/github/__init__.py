"""A GitHub on loopback: GraphQL from a real git repository through GitHub's own schema, and REST beside it."""
