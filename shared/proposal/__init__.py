"""What approvers are asked and what follows: the question, the click, the rollout and its verdict, as values."""
