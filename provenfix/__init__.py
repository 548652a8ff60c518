"""The installed command. In a wheel `functions` and `shared` lie in here, so that no other package of these names is hit."""
