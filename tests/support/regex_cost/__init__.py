"""What a pattern costs: a model of the matcher of `re` that counts its steps, and every pattern of the product."""
