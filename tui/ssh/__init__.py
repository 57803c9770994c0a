"""The ssh door: a program that `server.ssh_door` starts, and that lets guests into the room by ssh."""
