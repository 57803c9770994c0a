"""What a screen is put together from, a widget in each module."""
