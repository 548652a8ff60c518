"""Whether the arguments of a call bind to the signature of what is called."""
