"""Pictures of the real clients in a real, lively room: `make screenshots`."""
