"""GitHub: the history of a repository, its issues and its checks, through the API alone."""
