"""Files that a service opens: which of them the code names, and whether its image has them."""
