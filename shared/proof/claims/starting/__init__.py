"""What starts a service: the module, name or file that a start command names, and whether its image has it."""
