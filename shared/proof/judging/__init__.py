"""Whether sources compile: each blob is judged once."""
