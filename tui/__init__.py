"""Everything a person runs to take part in the room."""
