"""The checks of `provenfix doctor`: one file for each kind of thing that it examines."""
