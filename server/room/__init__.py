"""The one room that all models serve: its members, the order of its events, and their recipients. Pure."""
