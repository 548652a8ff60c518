"""The values of a proof, and what it asks of a repository and of compilers."""
