"""Typed lines: their parsing, their completion, their length, and the queue of slow mode."""
