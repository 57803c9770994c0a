"""The terminal of the full screen: input, output, and the modes that are set and reset."""
