"""What a commit newly and definitely breaks in what a service loads, by the families of claims."""
