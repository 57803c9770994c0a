"""What a person types: commands, orders, completion, and whether it fits."""
