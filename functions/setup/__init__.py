"""From an empty project to the first incident: the plan of steps, what is known of them, and the steps themselves."""
