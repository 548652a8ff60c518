"""The `provenfix` command: one file for each subcommand, each imported when it is called."""
