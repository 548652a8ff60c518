"""What `provenfix doctor` looks at: one file for each kind of thing; a list of checks in, one finding for each out."""
