"""What fills the whole terminal, a screen in each module."""
