"""What runs on one machine and never in the cloud: the `provenfix` command."""
