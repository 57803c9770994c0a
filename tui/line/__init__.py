"""Line mode: the room in a terminal's own scrollback, or in a pipe."""
