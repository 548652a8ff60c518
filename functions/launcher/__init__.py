"""The installed command; in a wheel `functions` and `shared` lie in here, where nobody else's are."""
