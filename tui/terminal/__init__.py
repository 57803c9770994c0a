"""The terminal of the full screen: its bytes in, its bytes out, and the modes between them."""
