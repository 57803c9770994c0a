"""The one room that all models serve: who is here, in which order things were said, and who hears it. Pure."""
