"""The three concurrency models, a module each: none knows another."""
