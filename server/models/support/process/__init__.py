"""What the process model runs on: the process that forks, the workers, and the pipes between them and the master."""
