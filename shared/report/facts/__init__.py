"""The facts of an incident and its proof, by where they come from."""
