"""What the three models stand on: sleeping, waking, and child processes."""
