"""The filters of the log sinks, written once: Terraform and Python read the same two files."""
