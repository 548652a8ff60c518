"""What a repository declares about its Python: Dockerfile, CI workflows, pyproject, tools of its developers."""
