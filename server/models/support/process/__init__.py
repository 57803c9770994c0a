"""Support for the process model: the fork server, the workers, and the pipes between them and the master."""
