"""The installed command; a wheel has `functions` and `shared` in here, where no other package's are."""
