"""Support for the three models: sleeping, waking, and child processes."""
