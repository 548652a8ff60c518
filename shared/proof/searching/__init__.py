"""One file through its history: the commit that broke it, those that tried, the one that fixes it."""
