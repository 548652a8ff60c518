"""Which files of a commit a service loads: from its image's start command, along the imports."""
