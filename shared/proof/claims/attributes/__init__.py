"""Which attributes modules, classes and their instances have, as far as their sources show."""
