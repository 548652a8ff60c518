"""What `provenfix doctor` looks at: one file for each kind of thing; checks in, findings out."""
