"""The installed command, the stack of one machine, and the page, as a user starts them."""
