"""What an import finds: modules, the names they bind, and the order in which a start loads them."""
