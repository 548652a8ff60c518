"""Where a name is bound: scopes, and definite assignment along every path."""
